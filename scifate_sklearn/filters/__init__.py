"""Evidence for links: binding references and the filters that test links against them."""

from scifate_sklearn.filters.encode import EncodeLinkFilter
from scifate_sklearn.filters.harmonize import harmonize_reference, name_overlap
from scifate_sklearn.filters.reference import BindingReference

__all__ = ["BindingReference", "EncodeLinkFilter", "harmonize_reference", "name_overlap"]
