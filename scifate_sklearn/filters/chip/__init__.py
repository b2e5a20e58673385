"""ChIP-seq evidence: references and their files, Fisher's exact test, the filter."""

from ._encode import EncodeLinkFilter
from ._harmonize import harmonize_reference, name_overlap
from ._reference import BindingReference

__all__ = ["BindingReference", "EncodeLinkFilter", "harmonize_reference", "name_overlap"]
