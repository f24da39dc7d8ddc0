"""Training: batches that encode everyone once, the loss of a batch, and a loop that resumes to the same bits."""

from penchant.training.anchors import Anchored, WarmStart
from penchant.training.averaging import Average
from penchant.training.batches import Batch, Batches, Candidates
from penchant.training.checkpoint import load_checkpoint, save_checkpoint
from penchant.training.negatives import KINDS, BaseNegatives, Drawn, KnownLikes, make_negatives
from penchant.training.objective import objective
from penchant.training.options import TrainingOptions
from penchant.training.scoring import encode_all, pair_distances
from penchant.training.stopping import Stopping
from penchant.training.trainer import Job, train

__all__ = [
    "KINDS",
    "Anchored",
    "Average",
    "BaseNegatives",
    "Batch",
    "Batches",
    "Candidates",
    "Drawn",
    "Job",
    "KnownLikes",
    "Stopping",
    "TrainingOptions",
    "WarmStart",
    "encode_all",
    "load_checkpoint",
    "make_negatives",
    "objective",
    "pair_distances",
    "save_checkpoint",
    "train",
]
