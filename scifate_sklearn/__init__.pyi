from . import (
    anndata_io as anndata_io,
    causality as causality,
    datasets as datasets,
    filters as filters,
    ledger as ledger,
    linear_model as linear_model,
    links as links,
    moments as moments,
    networks as networks,
    plotting as plotting,
    preprocessing as preprocessing,
    ranking as ranking,
    regressor as regressor,
    report as report,
    resampling as resampling,
)
from .anndata_io import (
    SciFateInputs as SciFateInputs,
    SciFateMoments as SciFateMoments,
    TFActivity as TFActivity,
    fit_by_group as fit_by_group,
    labelled_states as labelled_states,
    lagged_states as lagged_states,
    open_anndata as open_anndata,
    prepare_anndata as prepare_anndata,
    prepare_moments as prepare_moments,
    scifate_glmnet as scifate_glmnet,
    tf_activity as tf_activity,
    velocity_states as velocity_states,
)
from .causality import CellStates as CellStates, RDIScorer as RDIScorer
from .filters import (
    BindingReference as BindingReference,
    EncodeLinkFilter as EncodeLinkFilter,
    LinkUnion as LinkUnion,
    MotifLinkFilter as MotifLinkFilter,
    MotifRankings as MotifRankings,
    harmonize_reference as harmonize_reference,
    motif_scores as motif_scores,
    name_overlap as name_overlap,
    prior_penalties as prior_penalties,
)
from .ledger import link_ledger as link_ledger, link_summary as link_summary
from .linear_model import MultiOutputLassoCV as MultiOutputLassoCV
from .networks import (
    combine_links as combine_links,
    compare_links as compare_links,
    export_links as export_links,
    regulon_specificity as regulon_specificity,
    score_network as score_network,
    to_networkx as to_networkx,
)
from .preprocessing import RSampleKFold as RSampleKFold
from .ranking import RidgeRanking as RidgeRanking
from .regressor import SciFateRegressor as SciFateRegressor
from .report import write_report as write_report
from .resampling import (
    DifferentialLinks as DifferentialLinks,
    LinkTest as LinkTest,
    PermutationFDR as PermutationFDR,
    StabilitySelection as StabilitySelection,
    seed_stability as seed_stability,
)

__version__: str
