from .networks import INCEPTION as INCEPTION
from .networks import NONE as NONE
from .networks import USED_IN_TRAINING as USED_IN_TRAINING
from .networks import FeatureScorer as FeatureScorer
from .networks import import_callable as import_callable
from .networks import label as label
from .networks import load_features as load_features
from .networks import source_digest as source_digest
