"""Maps: users and items of a space in one picture, with clusters that have names, and how far it can be trusted."""

from penchant.maps.clusters import MapClusters, find_clusters
from penchant.maps.columns import CategoryColumn, MapColumn, MapSide, NumberColumn, map_columns
from penchant.maps.drawing import draw_map
from penchant.maps.interest_map import FORM, InterestMap, MapForm
from penchant.maps.layout import METHODS, check_method, lay_out
from penchant.maps.naming import MapCluster, Trait, name_clusters
from penchant.maps.placing import landed, place_points, scale_of
from penchant.maps.quality import MapQuality, measure_quality

__all__ = [
    "FORM",
    "METHODS",
    "CategoryColumn",
    "InterestMap",
    "MapCluster",
    "MapClusters",
    "MapColumn",
    "MapForm",
    "MapQuality",
    "MapSide",
    "NumberColumn",
    "Trait",
    "check_method",
    "draw_map",
    "find_clusters",
    "landed",
    "lay_out",
    "map_columns",
    "measure_quality",
    "name_clusters",
    "place_points",
    "scale_of",
]
