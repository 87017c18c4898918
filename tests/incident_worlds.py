"""Incidents with a known hidden path: what one party could have said of it, rounded as people do.

A world is a path flown with bounded speed and turn, a few zones and places about it, and claims
worked out from the path with geodesics alone. Nothing of the product's reasoning is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from pyproj import Geod

from adiz.incidents.edtf import parse_edtf
from adiz.incidents.model import Claim, Figure, Incident, Party, Place, Quantity, Source, Subject
from adiz.incidents.quantities import parse_quantity, parse_sector
from adiz.zones.model import Circle, Ring, Vertex, Zone, Zones

GEOD = Geod(ellps="WGS84")
START = datetime(2024, 3, 1, 6, 0, tzinfo=UTC)
LIMIT_KMH = 900.0
STEP_S = 2.0
QUARTERS = ["N", "E", "S", "W"]


@dataclass
class World:
    """A hidden path and an incident told of it."""

    lat: np.ndarray
    lon: np.ndarray
    incident: Incident
    zones: Zones

    def clock(self, i: int) -> datetime:
        return START + timedelta(seconds=float(i) * STEP_S)


def distances_km(lat: float, lon: float, lats: np.ndarray, lons: np.ndarray):
    """Azimuths (degrees) and distances from a point to many."""
    n = len(lats)
    azimuth, _, metres = GEOD.inv(np.full(n, lon), np.full(n, lat), lons, lats)
    return azimuth % 360, metres / 1000


def inside(zone: Zone, lats: np.ndarray, lons: np.ndarray) -> np.ndarray:
    """Containment by an own route: a circle by its radius, a polygon by the angle it turns."""
    part = zone.rings[0].parts[0]
    if isinstance(part, Circle):
        _, far = distances_km(part.center_lat_deg, part.center_lon_deg, lats, lons)
        return far < part.radius_m / 1000
    return winding(zone, lats, lons) > np.pi


def winding(zone: Zone, lats: np.ndarray, lons: np.ndarray) -> np.ndarray:
    corners = list(zone.rings[0].parts)
    ring = []
    for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
        ring.append((a.lon_deg, a.lat_deg))
        count = int(
            GEOD.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)[2] // 20_000
        )  # 8 m off the edge at most
        ring += GEOD.npts(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg, count)
    total = np.zeros(len(lats))
    before = None
    for lon, lat in [*ring, ring[0]]:
        back = np.radians(GEOD.inv(lons, lats, np.full(len(lats), lon), np.full(len(lats), lat))[0])
        if before is not None:
            total += (back - before + np.pi) % (2 * np.pi) - np.pi
        before = back
    return np.abs(total)


def fly(rng: np.random.Generator, lat: float, lon: float, hours: float):
    """A path: straights and turns of at most 20 degrees of bank, speed nearly constant."""
    count = int(hours * 3600 / STEP_S)
    speed = rng.uniform(450, 840) / 3.6
    turn_limit = np.degrees(9.81 * np.tan(np.radians(20)) / speed)  # degrees a second
    rates = []
    while len(rates) < count:
        rates += [0.0] * int(rng.uniform(60, 900) / STEP_S)
        rate = rng.choice([-1, 1]) * rng.uniform(0.3, 0.95) * turn_limit
        rates += [rate] * int(rng.uniform(10, 150) / abs(rate) / STEP_S)
    heading = rng.uniform(0, 360) + np.cumsum(rates[:count]) * STEP_S
    lats, lons = [lat], [lon]
    for angle in heading[:-1]:
        lon, lat, _ = GEOD.fwd(lon, lat, angle, speed * STEP_S)
        lats.append(lat)
        lons.append(lon)
    return np.array(lats), np.array(lons)


def make_world(seed: int) -> World:
    rng = np.random.default_rng(seed)
    lat0, lon0 = rng.uniform(-60, 65), rng.choice([rng.uniform(-180, 180), 179.5])
    lats, lons = fly(rng, lat0, lon0, rng.uniform(0.7, 2.5))
    zones, places = make_zones(rng, lats, lons), make_places(rng, lats, lons)
    incident = Incident(
        "world", "A world", "UTC",
        parties=(Party("p", "Party"),), sources=(Source("s", "Source"),),
        subjects=(Subject("x", "Aircraft", max_speed_kmh=(
            Figure(Quantity(LIMIT_KMH, LIMIT_KMH, "km/h", "900"), "s"),)),),
        places=places,
    )  # fmt: skip
    world = World(lats, lons, incident, Zones(zones))
    told = [*tell_crossings(rng, world), *tell_places(rng, world), *tell_absences(rng, world)]
    claims = tuple(replace(c, claim_id=f"c{i}") for i, c in enumerate(told))
    world.incident = replace(incident, claims=claims)
    return world


def make_zones(rng: np.random.Generator, lats: np.ndarray, lons: np.ndarray) -> tuple[Zone, ...]:
    zones = []
    for k in range(rng.integers(1, 3)):  # belts near the path
        i = rng.integers(len(lats))
        lon, lat, _ = GEOD.fwd(lons[i], lats[i], rng.uniform(0, 360), rng.uniform(0, 30_000))
        zones.append(Zone(f"belt{k}", "belt", (Ring((Circle(lat, lon, 22_224.0),)),)))
    i = rng.integers(len(lats))
    corners, angle = [], 0.0
    lon, lat, _ = GEOD.fwd(lons[i], lats[i], rng.uniform(0, 360), rng.uniform(0, 100_000))
    while angle < 340:
        far = rng.uniform(80_000, 350_000)
        x, y, _ = GEOD.fwd(lon, lat, angle, far)
        corners.append(Vertex(y, x))
        angle += rng.uniform(25, 60)
    return (*zones, Zone("wide", "wide", (Ring(tuple(corners)),)))


def make_places(rng: np.random.Generator, lats: np.ndarray, lons: np.ndarray) -> tuple[Place, ...]:
    places = []
    for k in range(3):
        i = int((k + rng.uniform(0.1, 0.9)) / 3 * len(lats))
        lon, lat, _ = GEOD.fwd(lons[i], lats[i], rng.uniform(0, 360), rng.uniform(5_000, 60_000))
        places.append(Place(f"place{k}", f"Place {k}", ((lat, lon),)))
    return tuple(places)


def minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def claim(predicate: str, time: str | None, **more) -> Claim:
    return Claim("", "p", "x", predicate, "s", "words", time=parse_edtf(time) if time else None,
                 **more)  # fmt: skip


def quarter(azimuth: float):
    return parse_sector(QUARTERS[int((azimuth + 45) // 90) % 4])


def tell_crossings(rng: np.random.Generator, world: World) -> list[Claim]:
    told = []
    for zone in world.zones:
        within = inside(zone, world.lat, world.lon)
        events = np.flatnonzero(within[1:] != within[:-1]) + 1
        skip = rng.random() < 0.2  # some accounts leave crossings out
        for i in events:
            if skip and rng.random() < 0.5:
                continue
            more = {}
            if rng.random() < 0.5:
                place = world.incident.places[rng.integers(3)]
                azimuth, _ = distances_km(*place.points[0], world.lat[[i]], world.lon[[i]])
                more = {"place": place.place_id, "bearing": quarter(azimuth[0])}
            predicate = "enters" if within[i] else "leaves"
            told.append(claim(predicate, minute(world.clock(i)), zones=(zone.zone_id,), **more))
    return told


def tell_places(rng: np.random.Generator, world: World) -> list[Claim]:
    told = []
    for place in world.incident.places:
        azimuth, far = distances_km(*place.points[0], world.lat, world.lon)
        i = int(far.argmin())
        if rng.random() < 0.5:  # its closest approach, in a window about it
            begin, end = (
                world.clock(i) - timedelta(minutes=3),
                world.clock(i) + timedelta(minutes=2),
            )
            told.append(
                claim("passes", f"{minute(begin)}/{minute(end)}", place=place.place_id,
                      distance_km=parse_quantity(f"{far[i]:.0f}", "km"),
                      bearing=quarter(azimuth[i]))
            )  # fmt: skip
        else:
            j = int(rng.integers(len(far)))
            told.append(
                claim("at", minute(world.clock(j)), place=place.place_id,
                      distance_km=parse_quantity(f"{far[j]:.0f}", "km"),
                      bearing=parse_sector(f"{azimuth[j]:.0f}" if rng.random() < 0.5 else
                                           f"{(azimuth[j] - 10) % 360:.0f}.."
                                           f"{(azimuth[j] + 10) % 360:.0f}"))
            )  # fmt: skip
    return told


def tell_absences(rng: np.random.Generator, world: World) -> list[Claim]:
    told = []
    for zone in world.zones:
        if not inside(zone, world.lat, world.lon).any() and rng.random() < 0.7:
            told.append(claim("never_inside", None, zones=(zone.zone_id,)))
    place = world.incident.places[rng.integers(3)]
    _, far = distances_km(*place.points[0], world.lat, world.lon)
    if far.min() > 6 and rng.random() < 0.5:
        told.append(
            claim("passes", None, place=place.place_id,
                  distance_km=parse_quantity(f">{int(far.min()) - 1}", "km"))
        )  # fmt: skip
    return told


def plant(world: World, seed: int) -> tuple[World, str] | None:
    """The world with one false claim that no path could make true beside the others."""
    rng = np.random.default_rng(seed + 10_000)
    fixed = [c for c in world.incident.claims if c.predicate in ("at", "passes") and c.time
             and c.distance_km]  # fmt: skip
    if not fixed:
        return None
    other = fixed[rng.integers(len(fixed))]
    place = world.incident.place(other.place)
    delay = timedelta(minutes=int(rng.integers(3, 20)))
    moment = other.time.earliest + delay
    # from anywhere in the window of the other claim, at the limit, and as much again
    reach = LIMIT_KMH * (delay + timedelta(minutes=2)).total_seconds() / 3600
    far = other.distance_km.high + reach * rng.uniform(1.15, 2.0) + 5
    lon, lat, _ = GEOD.fwd(place.points[0][1], place.points[0][0], rng.uniform(0, 360), far * 1000)
    false = Place("false", "False place", ((lat, lon),))
    lie = replace(claim("at", minute(moment), place="false",
                        distance_km=parse_quantity("2", "km")), claim_id="lie")  # fmt: skip
    claims = list(world.incident.claims)
    claims.insert(int(rng.integers(len(claims) + 1)), lie)
    incident = replace(world.incident, claims=tuple(claims), places=(*world.incident.places, false))
    return replace(world, incident=incident), "lie"
