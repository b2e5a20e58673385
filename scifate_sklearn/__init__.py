"""Gene regulatory networks from newly made RNA: scikit-learn estimators and their evidence.

The public names are listed in ``__init__.pyi`` and loaded when they are first used (SPEC 1).
"""

import lazy_loader as _lazy

from ._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
