"""Evidence for links: references, filters that test links against them, and prior knowledge.

- All filters share `base` and `LinkUnion`; `prior_penalties` converts evidence into penalties.
- `chip`: ChIP-seq references and Fisher's exact test.
- `motifs`: motif rankings, their annotations and enrichment.
- `evidence`: declarations of the kinds of evidence for the command line.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
