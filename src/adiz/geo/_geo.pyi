from array import array

def inverse(
    lat1_deg: float, lon1_deg: float, lat2_deg: float, lon2_deg: float
) -> tuple[float, float, float]: ...
def direct(
    lat_deg: float, lon_deg: float, azimuth_deg: float, distance_m: float
) -> tuple[float, float]: ...
def densify_edge(
    edge: int,
    planar: bool,
    lat1_deg: float,
    lon1_deg: float,
    lat2_deg: float,
    lon2_deg: float,
    tolerance_m: float,
) -> array[float]: ...
def densify_arc(
    planar: bool,
    center_lat_deg: float,
    center_lon_deg: float,
    azimuth_deg: float,
    sweep_deg: float,
    start_radius_m: float,
    end_radius_m: float,
    tolerance_m: float,
) -> array[float]: ...
def unwrap(points: array[float]) -> tuple[array[float], float]: ...
def densify_corners(
    corners: array[float], edges: bytes, planar: bool, tolerance_m: float
) -> array[float]: ...
