"""Drawings of the embedded sample's scenes: objects of five classes, one or several, in front of some scenery.

Everything is a list of filled polygons. Objects are drawn in a frame of their own (about 100 units wide,
x to the right, y downwards, looking right), then mirrored, tilted, scaled and moved into the picture.
Scenery is drawn straight in picture pixels. Only Pillow and NumPy are used, and all chance comes from the
generator that is passed in, so a scene is a function of its seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
FloatArray = npt.NDArray[np.float64]
Extent = tuple[float, float, float, float]
Point = tuple[float, float]
Rng = np.random.Generator


PICTURE_SIZES = ((500, 375), (500, 375), (500, 375), (500, 333), (375, 500))
OVERSAMPLING = 2
MARGIN = 4  # pixels left free between the object and the edge of the picture
CROWD_SCALES = (0.25, 0.55)  # sizes of the objects of a crowded scene, as shares of the largest that fits
COVERED = 0.1  # how much of an object another one may lie over
PLACES_TRIED = 30

BLACK, DARK, WHITE = (18, 18, 20), (50, 50, 56), (245, 245, 240)
GLASS, TYRE, STEEL = (158, 200, 220), (34, 34, 38), (190, 194, 200)
FURS = (
    (139, 90, 43),
    (205, 170, 110),
    (70, 62, 58),
    (225, 215, 200),
    (165, 110, 60),
    (120, 120, 125),
    (214, 140, 70),
)
PAINTS = (
    (200, 40, 40),
    (40, 80, 180),
    (240, 190, 40),
    (245, 245, 245),
    (40, 140, 90),
    (60, 60, 70),
    (235, 120, 30),
    (130, 60, 150),
    (90, 180, 210),
    (170, 175, 180),
)


@dataclass(frozen=True)
class Shape:
    """A filled polygon: points of shape (k, 2) as (x, y), and an RGB colour."""

    points: FloatArray
    colour: Colour


@dataclass(frozen=True)
class Scene:
    """A finished picture, the pixels (height, width) that belong to the object, and the object's class."""

    image: Image.Image
    mask: npt.NDArray[np.bool_]
    name: str

    @property
    def bbox(self) -> tuple[int, int, int, int]:
        """The tight VOC box of the mask: whole pixels, 1-based, both ends inclusive."""
        return _tight_box(self.mask)


@dataclass(frozen=True)
class CrowdedScene:
    """A finished picture with several objects: their classes and, in the same order, the tight VOC boxes."""

    image: Image.Image
    names: tuple[str, ...]
    bboxes: tuple[tuple[int, int, int, int], ...]


def render_scene(name: str, rng: Rng) -> Scene:
    """Draw one scene with one object of the class `name`; the same generator state gives the same pixels."""
    width, height = PICTURE_SIZES[rng.integers(len(PICTURE_SIZES))]
    flying = name == "aeroplane" and rng.random() < 0.65
    target = _place(_OBJECTS[name](rng, flying), width, height, rng, tilt=14 if flying else 4)
    scenery = _scenery_for(name, flying, rng)
    image = scenery(width, height, _extent(target), rng)
    _paint(image, target)
    mask = Image.new("L", image.size)
    _paint(mask, [Shape(shape.points, (255, 255, 255)) for shape in target])
    picture = _light(image.reduce(OVERSAMPLING), rng)
    return Scene(picture, np.asarray(mask.reduce(OVERSAMPLING)) >= 128, name)


def render_crowd(names: Sequence[str], rng: Rng) -> CrowdedScene:
    """Draw one scene with an object of each of the classes `names`, hardly any in front of another.

    The scenery is that of the object which stands lowest. An object for which no free place is found is left out, but
    of several there are always two.
    """
    width, height = PICTURE_SIZES[rng.integers(len(PICTURE_SIZES))]
    flying = bool(rng.random() < 0.65)
    chosen: list[tuple[str, list[Shape]]] = []
    for name in names:
        shapes = _OBJECTS[name](rng, flying)
        target = _place_free(shapes, [_extent(other) for _, other in chosen], width, height, rng)
        if target is not None:
            chosen.append((name, target))
    if len(chosen) < min(2, len(names)):
        return render_crowd(names, rng)  # the generator has moved on: other places
    ground = max(chosen, key=lambda item: _extent(item[1])[3])
    image = _scenery_for(ground[0], flying and ground[0] == "aeroplane", rng)(width, height, _extent(ground[1]), rng)
    masks = []
    for _, target in chosen:
        _paint(image, target)
        mask = Image.new("L", image.size)
        _paint(mask, [Shape(shape.points, (255, 255, 255)) for shape in target])
        masks.append(np.asarray(mask.reduce(OVERSAMPLING)) >= 128)
    picture = _light(image.reduce(OVERSAMPLING), rng)
    return CrowdedScene(picture, tuple(name for name, _ in chosen), tuple(map(_tight_box, masks)))


def _tight_box(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return the VOC box of the pixels (height, width) that are set: 1-based, both ends inclusive."""
    columns = np.flatnonzero(mask.any(axis=0)) + 1
    rows = np.flatnonzero(mask.any(axis=1)) + 1
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def _place_free(
    shapes: Sequence[Shape], taken: Sequence[Extent], width: int, height: int, rng: Rng
) -> list[Shape] | None:
    """Place an object where it covers little of the `taken` places; None if there was no such place in many tries."""
    for _ in range(PLACES_TRIED):
        target = _place(shapes, width, height, rng, tilt=4, scales=CROWD_SCALES)
        if all(_covered(_extent(target), other) <= COVERED for other in taken):
            return target
    return None


def _covered(a: Extent, b: Extent) -> float:
    """Return the share of the smaller of two extents that lies in the other."""
    wide, tall = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((each[2] - each[0]) * (each[3] - each[1]) for each in (a, b))
    return max(wide, 0.0) * max(tall, 0.0) / smaller


# --- Polygons ---------------------------------------------------------------------------------------------


def _polygon(points: Sequence[Point], colour: Colour) -> Shape:
    return Shape(np.array(points, dtype=np.float64), colour)


def _rectangle(left: float, top: float, right: float, bottom: float, colour: Colour) -> Shape:
    return _polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)


def _ellipse(cx: float, cy: float, rx: float, ry: float, colour: Colour) -> Shape:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return Shape(np.stack([cx + rx * np.cos(angle), cy + ry * np.sin(angle)], axis=1), colour)


def _blob(corners: Sequence[Point], colour: Colour, rounds: int = 3) -> Shape:
    """Return a polygon with its corners cut again and again until it is smooth (Chaikin)."""
    points = np.array(corners, dtype=np.float64)
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0)
        cut = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1)
        points = cut.reshape(-1, 2)
    return Shape(points, colour)


def _tube(path: Sequence[Point], radii: Sequence[float], colour: Colour) -> list[Shape]:
    """Return a chain of discs joined by straight walls: legs, necks and tails."""
    shapes = [_ellipse(x, y, r, r, colour) for (x, y), r in zip(path, radii, strict=True)]
    for (x0, y0), (x1, y1), r0, r1 in zip(path, path[1:], radii, radii[1:], strict=False):
        length = float(np.hypot(x1 - x0, y1 - y0)) or 1.0
        nx, ny = -(y1 - y0) / length, (x1 - x0) / length
        shapes.append(
            _polygon(
                [
                    (x0 + nx * r0, y0 + ny * r0),
                    (x1 + nx * r1, y1 + ny * r1),
                    (x1 - nx * r1, y1 - ny * r1),
                    (x0 - nx * r0, y0 - ny * r0),
                ],
                colour,
            )
        )
    return shapes


def _curve(start: Point, bend: Point, end: Point, steps: int = 8) -> list[Point]:
    """Return points along the quadratic Bézier curve from start to end."""
    t = np.linspace(0, 1, steps)
    x, y = ((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c for a, b, c in zip(start, bend, end, strict=True))
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (int(np.clip(channel * factor, 0, 255)) for channel in colour)
    return red, green, blue


def _pick(colours: Sequence[Colour], rng: Rng, spread: int = 18) -> Colour:
    """Choose one of the colours, slightly off."""
    red, green, blue = np.clip(
        np.array(colours[int(rng.integers(len(colours)))]) + rng.integers(-spread, spread + 1, 3), 0, 255
    )
    return int(red), int(green), int(blue)


def _paint(image: Image.Image, shapes: Sequence[Shape]) -> None:
    """Fill the polygons, given in picture pixels, on an oversampled canvas ("RGB" or "L")."""
    draw = ImageDraw.Draw(image)
    for shape in shapes:
        fill = shape.colour if image.mode == "RGB" else shape.colour[0]
        draw.polygon([(float(x), float(y)) for x, y in shape.points * OVERSAMPLING], fill=fill)


def _extent(shapes: Sequence[Shape]) -> tuple[float, float, float, float]:
    """Return (left, top, right, bottom) of all polygons together."""
    points = np.concatenate([shape.points for shape in shapes])
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def _place(
    shapes: Sequence[Shape],
    width: int,
    height: int,
    rng: Rng,
    tilt: float,
    scales: tuple[float, float] = (0.3, 0.95),
) -> list[Shape]:
    """Mirror, stretch, tilt (up to `tilt` degrees), scale and move the object to anywhere in the picture."""
    angle = np.deg2rad(rng.uniform(-tilt, tilt))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = rotation @ np.diag([rng.choice([-1.0, 1.0]), rng.uniform(0.88, 1.12)])
    turned = [Shape(shape.points @ matrix.T, shape.colour) for shape in shapes]
    left, top, right, bottom = _extent(turned)
    room = np.array([width, height]) - 2.0 * MARGIN
    scale = rng.uniform(*scales) * np.min(room / (right - left, bottom - top))
    corner = MARGIN + rng.random(2) * (room - scale * np.array([right - left, bottom - top]))
    return [Shape((shape.points - (left, top)) * scale + corner, shape.colour) for shape in turned]


# --- Objects ----------------------------------------------------------------------------------------------


def _draw_dog(rng: Rng, _: bool) -> list[Shape]:
    return (_standing_dog if rng.random() < 0.6 else _sitting_dog)(_pick(FURS, rng), rng)


def _draw_cat(rng: Rng, _: bool) -> list[Shape]:
    return (_walking_cat if rng.random() < 0.5 else _sitting_cat)(_pick(FURS, rng), rng)


def _legs(
    feet: Sequence[float], hips: Sequence[float], hip: float, ground: float, r: float, colour: Colour
) -> list[Shape]:
    """Draw one leg from (hips[i], hip) to (feet[i], ground) each, with a paw pointing right."""
    shapes: list[Shape] = []
    for x, top in zip(feet, hips, strict=True):
        shapes += _tube([(top, hip), (x, ground - r)], [r * 1.5, r], colour)
        shapes.append(_ellipse(x + r * 0.6, ground - r * 0.8, r * 1.7, r * 0.9, colour))
    return shapes


def _dog_head(x: float, y: float, fur: Colour, rng: Rng) -> list[Shape]:
    """Draw a head in profile: long muzzle, black nose, hanging ear."""
    muzzle, droop = rng.uniform(19, 26), rng.uniform(16, 24)
    ear = _shade(fur, rng.choice([0.55, 0.7]))
    shapes = [_ellipse(x, y, 13, 12, fur)]
    if rng.random() < 0.5:
        shapes.append(_blob([(x + 10, y + 6), (x + 17, y + 6), (x + 18, y + 20), (x + 12, y + 20)], (225, 90, 110)))
    shapes += _tube([(x + 4, y + 3), (x + muzzle, y + 5)], [8.5, 5.5], _shade(fur, 1.08))
    shapes += [
        _ellipse(x + muzzle + 4, y + 2.5, 3.4, 3, BLACK),
        _ellipse(x + 6, y - 4, 2.6, 2.6, WHITE),
        _ellipse(x + 6.6, y - 4, 1.8, 1.8, BLACK),
        _blob(
            [
                (x - 11, y - 12),
                (x - 1, y - 11),
                (x + 1, y + droop * 0.6),
                (x - 6, y + droop),
                (x - 15, y + droop * 0.7),
            ],
            ear,
        ),
    ]
    return shapes


def _standing_dog(fur: Colour, rng: Rng) -> list[Shape]:
    stride, ground, far = rng.uniform(-5, 7), rng.uniform(82, 94), _shade(fur, 0.75)
    neck = (86.0, rng.uniform(8, 20))
    shapes = _tube(_curve((10, 38), (-6, 32), (-10, rng.uniform(2, 22))), np.linspace(4.5, 2, 8).tolist(), fur)
    shapes += _legs([24 - stride, 64 + stride], [22, 66], 54, ground - 2, 4.6, far)
    shapes += _tube([(18, 46), (42, 47), (66, 46)], [14, 14, 16.5], fur)
    shapes += _tube([(68, 42), neck], [13, 10], fur)
    shapes += _legs([16 + stride, 72 - stride], [16, 71], 54, ground, 5, fur)
    if rng.random() < 0.5:
        shapes.append(_ellipse(rng.uniform(26, 50), 42, rng.uniform(7, 12), 8, _shade(fur, 0.6)))
    if rng.random() < 0.6:
        x, y = 0.45 * 68 + 0.55 * neck[0], 0.45 * 42 + 0.55 * neck[1]
        shapes += _tube([(x - 9, y - 7), (x + 8, y + 8)], [2.4, 2.4], _pick(PAINTS, rng))
    return shapes + _dog_head(*neck, fur, rng)


def _sitting_dog(fur: Colour, rng: Rng) -> list[Shape]:
    far, ground, head = _shade(fur, 0.75), 96.0, (62.0, rng.uniform(8, 16))
    shapes = _tube(_curve((18, 90), (-8, 96), (-14, rng.uniform(68, 88))), np.linspace(4.5, 2, 8).tolist(), fur)
    shapes += _legs([62], [60], 56, ground - 2, 4.6, far)
    shapes += _tube([(28, 78), (44, 58), (54, 42)], [18, 18, 14], fur)
    shapes += _tube([(54, 40), head], [13, 10], fur)
    shapes += [_ellipse(30, 80, 17, 16, _shade(fur, 0.92)), _ellipse(42, ground - 4, 12, 4.5, fur)]
    shapes += _legs([56], [55], 52, ground, 5, fur)
    if rng.random() < 0.6:
        shapes += _tube([(49, 31), (67, 33)], [2.4, 2.4], _pick(PAINTS, rng))
    return shapes + _dog_head(*head, fur, rng)


def _cat_face(x: float, y: float, fur: Colour, rng: Rng) -> list[Shape]:
    """Draw a face turned to us: two pointed ears, slit eyes, whiskers."""
    eye, r, tall = _pick([(120, 190, 80), (230, 190, 60), (110, 180, 220)], rng), 15.0, rng.uniform(12, 17)
    shapes: list[Shape] = []
    for side in (-1, 1):
        shapes += [
            _polygon([(x + side * 15, y - 2), (x + side * 13, y - 9 - tall), (x + side * 1, y - 11)], fur),
            _polygon(
                [(x + side * 12, y - 5), (x + side * 11.5, y - 4 - tall), (x + side * 4, y - 10)],
                (225, 160, 160),
            ),
        ]
    shapes.append(_ellipse(x, y, r, r * 0.86, fur))
    for stripe in (-5, 0, 5):
        shapes += _tube([(x + stripe, y - 12), (x + stripe * 0.8, y - 7)], [1.1, 0.7], _shade(fur, 0.6))
    for side in (-1, 1):
        shapes += [
            _ellipse(x + side * 6, y - 2, 3.6, 3.2, eye),
            _ellipse(x + side * 6, y - 2, 1.1, 3.0, BLACK),
            _ellipse(x + side * 3, y + 6.5, 4, 3.2, _shade(fur, 1.15)),
        ]
        for rise in (-2, 1, 4):
            shapes += _tube([(x + side * 5, y + 6), (x + side * 19, y + 5 + rise)], [0.5, 0.35], WHITE)
    shapes.append(_polygon([(x - 2.4, y + 3), (x + 2.4, y + 3), (x, y + 6)], (215, 110, 120)))
    return shapes


def _walking_cat(fur: Colour, rng: Rng) -> list[Shape]:
    stride, far, ground = rng.uniform(-5, 7), _shade(fur, 0.75), 80.0
    tip = (rng.uniform(-18, 14), rng.uniform(-18, -4))
    shapes = _tube(_curve((12, 40), (-14, 30), tip, 12), np.linspace(4, 2.6, 12).tolist(), fur)
    shapes += _legs([26 - stride, 60 + stride], [22, 62], 52, ground - 2, 3.6, far)
    shapes += _tube([(18, 46), (40, 48), (64, 45)], [11.5, 11.5, 11.5], fur)
    for x in (22, 32, 42, 52):
        shapes += _tube([(x, 37), (x + 1, 47)], [1.6, 0.8], _shade(fur, 0.65))
    shapes += _legs([16 + stride, 68 - stride], [17, 67], 52, ground, 3.9, fur)
    shapes += _tube([(64, 42), (78, 32)], [10, 9], fur)
    return shapes + _cat_face(80, rng.uniform(20, 30), fur, rng)


def _sitting_cat(fur: Colour, rng: Rng) -> list[Shape]:
    side = rng.uniform(70, 88)
    shapes = _tube(
        _curve((40, 92), (side + 22, 104), (side, rng.uniform(52, 78)), 12),
        np.linspace(4.4, 3, 12).tolist(),
        fur,
    )
    shapes += [
        _blob([(20, 98), (12, 82), (24, 44), (34, 34), (46, 34), (56, 44), (68, 82), (60, 98)], fur),
        _ellipse(22, 86, 12, 12, _shade(fur, 0.9)),
        _ellipse(58, 86, 12, 12, _shade(fur, 0.9)),
        _blob([(30, 44), (50, 44), (48, 70), (40, 76), (32, 70)], _shade(fur, 1.2)),
    ]
    shapes += _tube([(34, 66), (34, 93)], [5, 4.4], fur) + _tube([(46, 66), (46, 93)], [5, 4.4], fur)
    shapes += [_ellipse(33, 95, 6.5, 4, _shade(fur, 1.1)), _ellipse(47, 95, 6.5, 4, _shade(fur, 1.1))]
    return shapes + _cat_face(40 + rng.uniform(-4, 4), 24, fur, rng)


def _wheel(x: float, y: float, r: float) -> list[Shape]:
    return [
        _ellipse(x, y, r, r, TYRE),
        _ellipse(x, y, r * 0.58, r * 0.58, STEEL),
        _ellipse(x, y, r * 0.2, r * 0.2, DARK),
    ]


def _draw_car(rng: Rng, _: bool) -> list[Shape]:
    paint, roof, rear = _pick(PAINTS, rng), rng.uniform(4, 9), rng.uniform(4, 22)
    front, glass = rng.uniform(70, 78), _shade(GLASS, rng.uniform(0.7, 1.1))
    shapes = [
        _blob([(rear - 2, 26), (rear + 9, roof), (front - 18, roof), (front, 26)], paint, rounds=2),
        _blob(
            [(-4, 42), (-2, 24), (30, 22), (front, 22), (100, 27), (106, 42), (98, 45), (2, 45)],
            paint,
            rounds=2,
        ),
        _polygon([(rear + 6, 24), (rear + 13, roof + 4), (38, roof + 4), (38, 24)], glass),
        _polygon([(42, 24), (42, roof + 4), (front - 19, roof + 4), (front - 6, 24)], glass),
        _rectangle(0, 37, 102, 39, _shade(paint, 0.7)),
        _rectangle(39.5, 24, 40.3, 42, _shade(paint, 0.6)),
        _rectangle(33, 28, 38, 29.6, _shade(paint, 0.5)),
        _ellipse(99, 31, 3.2, 2.8, (255, 240, 170)),
        _ellipse(1, 30, 2, 3, (190, 30, 30)),
    ]
    r = rng.uniform(8.5, 10.5)
    for x in (21, 81):
        shapes += [_ellipse(x, 43, r + 2, r + 2, _shade(paint, 0.4)), *_wheel(x, 44, r)]
    return shapes


def _draw_bus(rng: Rng, _: bool) -> list[Shape]:
    paint, tall = _pick(PAINTS, rng), rng.uniform(38, 58)
    decks = [6.0, tall / 2 + 3] if tall > 50 else [7.0]
    pane, glass = (15.0 if tall > 50 else 19.0), _shade(GLASS, rng.uniform(0.6, 1.05))
    shapes = [
        _blob([(0, tall), (0, 0), (50, -1), (100, 0), (103, tall * 0.5), (103, tall)], paint, rounds=1),
        _rectangle(3, 1.5, 97, 3.5, _shade(paint, 1.2)),
        _rectangle(1, tall - 13, 102, tall - 9, _pick([WHITE, _shade(paint, 0.6), (240, 200, 60)], rng)),
    ]
    count = int(rng.integers(5, 8))
    step = 82 / count
    for top in decks:
        bottom = min(top + pane, tall - 14)
        shapes += [_rectangle(4 + i * step, top, 4 + (i + 0.84) * step, bottom, glass) for i in range(count)]
        shapes.append(_polygon([(88, top), (98, top), (100.5, bottom), (88, bottom)], _shade(glass, 1.12)))
    shapes += [
        _rectangle(76, tall - 20, 85, tall - 1, _shade(glass, 0.8)),
        _rectangle(80.2, tall - 20, 80.9, tall - 1, DARK),
        _ellipse(101, tall - 6, 1.8, 2, (255, 240, 170)),
    ]
    for x in (20, 68):
        shapes += [_ellipse(x, tall, 9.5, 9.5, _shade(paint, 0.4)), *_wheel(x, tall + 1, 7.6)]
    return shapes


def _draw_aeroplane(rng: Rng, flying: bool) -> list[Shape]:
    body, trim, grey = (
        _pick([WHITE, (225, 228, 232), (235, 220, 190)], rng, 8),
        _pick(PAINTS, rng),
        (176, 182, 190),
    )
    reach, fin = rng.uniform(16, 30), rng.uniform(18, 25)
    far = [
        _polygon([(56, 20), (44, 20 - reach * 0.55), (37, 20 - reach * 0.55), (42, 20)], _shade(grey, 0.85)),
        _polygon([(13, 18), (-1, 8), (-5, 8), (4, 18)], _shade(grey, 0.85)),
    ]
    wheels: list[Shape] = []
    if not flying:
        for x in (48, 86):
            wheels += [_rectangle(x - 0.8, 28, x + 0.8, 38, DARK), _ellipse(x, 39, 3.4, 3.4, TYRE)]
    shapes = [
        *far,
        *wheels,
        _polygon([(14, 17), (-4, 17 - fin), (-12, 17 - fin), (-4, 20)], trim),
        _blob(
            [(-8, 16), (10, 13), (84, 12), (98, 15), (107, 22), (98, 28), (80, 31), (30, 31), (6, 25)],
            body,
            rounds=3,
        ),
        _polygon([(-4, 21), (101, 21.4), (103, 23.4), (2, 23)], trim),
        _polygon([(91, 15), (97, 16), (100, 19), (92, 19)], (60, 80, 100)),
        *[_ellipse(x, 17.6, 1.3, 1.6, (70, 90, 115)) for x in range(18, 88, 5)],
        _polygon([(62, 26), (30, 26 + reach), (22, 26 + reach), (38, 26)], grey),
        _polygon([(30, 26 + reach), (22, 26 + reach), (19, 23 + reach), (26, 23 + reach)], trim),
        _polygon([(12, 21), (-6, 30), (-11, 30), (1, 20)], grey),
        _blob([(42, 31), (56, 31), (58, 34), (56, 38), (42, 37)], _shade(trim, 0.8), rounds=2),
    ]
    return shapes


_OBJECTS: dict[str, Callable[[Rng, bool], list[Shape]]] = {
    "dog": _draw_dog,
    "cat": _draw_cat,
    "bus": _draw_bus,
    "car": _draw_car,
    "aeroplane": _draw_aeroplane,
}

# --- Scenery ----------------------------------------------------------------------------------------------

Scenery = Callable[[int, int, Extent, Rng], Image.Image]
SKIES = (
    ((90, 150, 220), (200, 225, 240)),
    ((240, 170, 130), (250, 220, 180)),
    ((150, 165, 180), (215, 220, 225)),
)
GRASSES = ((96, 150, 70), (130, 160, 80), (80, 130, 75))
ROADS = ((105, 105, 110), (125, 120, 115), (88, 90, 98))


def _scenery_for(name: str, flying: bool, rng: Rng) -> Scenery:
    """Choose scenery: rooms and gardens for animals, streets and roads for vehicles, air or runways for aeroplanes."""
    if name == "aeroplane":
        return _sky if flying else _runway
    pair = (_garden, _room) if name in ("dog", "cat") else (_street, _country_road)
    return pair[rng.integers(2)]


def _horizon(height: int, target: Extent, rng: Rng) -> float:
    """Return where the ground begins, in pixels from the top: somewhere behind the object, above its feet."""
    _, top, _, bottom = target
    return float(np.clip(rng.uniform(top, bottom - 0.1 * (bottom - top)), 0.12 * height, 0.9 * height))


def _backdrop(
    width: int, height: int, horizon: float, sky: tuple[Colour, Colour], ground: Colour, rng: Rng
) -> Image.Image:
    """Paint the oversampled canvas: a gradient down to the horizon, a blotchy ground below it."""
    y = np.arange(height, dtype=np.float32)[:, None]
    blend = np.clip(y / max(horizon, 1.0), 0, 1)
    above = (1 - blend) * np.array(sky[0]) + blend * np.array(sky[1])
    below = np.array(ground) * (0.85 + 0.3 * np.clip((y - horizon) / height, 0, 1))
    rows = np.where(y < horizon, above, below).astype(np.float32)
    blotches = Image.fromarray(rng.normal(0, 9, (height // 12, width // 12)).astype(np.float32))
    texture = np.asarray(blotches.resize((width, height), Image.Resampling.BILINEAR))
    texture = texture * np.where(y < horizon, np.float32(0.4), np.float32(1.0))
    pixels = np.clip(rows[:, None] + texture[..., None], 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((width * OVERSAMPLING, height * OVERSAMPLING), Image.Resampling.NEAREST)


def _shadow(target: Extent, ground: Colour) -> Shape:
    left, top, right, bottom = target
    return _ellipse(
        (left + right) / 2, bottom - 2, 0.52 * (right - left), 0.05 * (bottom - top) + 2, _shade(ground, 0.62)
    )


def _cloud(x: float, y: float, size: float, rng: Rng) -> list[Shape]:
    colour = _pick([(250, 250, 252), (235, 238, 242)], rng, 5)
    return [
        _ellipse(x + size * dx, y - size * dy, size * r, size * r * 0.6, colour)
        for dx, dy, r in ((-0.8, 0, 0.5), (-0.2, 0.2, 0.7), (0.5, 0.1, 0.6), (1.0, -0.02, 0.35))
    ]


def _tree(x: float, base: float, size: float, rng: Rng) -> list[Shape]:
    leaf = _pick([(60, 120, 60), (90, 140, 50), (50, 100, 70), (190, 120, 50)], rng)
    trunk = _rectangle(x - 0.06 * size, base - 0.5 * size, x + 0.06 * size, base, (100, 72, 50))
    crown = [
        _ellipse(x + dx * size, base - (0.75 + dy) * size, r * size, r * size, _shade(leaf, f))
        for dx, dy, r, f in ((-0.18, 0, 0.26, 0.9), (0.2, 0.02, 0.25, 0.85), (0, 0.18, 0.28, 1.05))
    ]
    return [trunk, *crown]


def _hill(width: int, horizon: float, rng: Rng) -> Shape:
    colour = _pick([(110, 140, 110), (120, 130, 150), (140, 150, 110)], rng)
    return _ellipse(rng.uniform(0, width), horizon, rng.uniform(0.3, 0.7) * width, rng.uniform(15, 70), colour)


def _house(x: float, base: float, wide: float, tall: float, rng: Rng) -> list[Shape]:
    wall = _pick([(190, 120, 95), (215, 200, 175), (160, 160, 165), (205, 170, 120)], rng)
    pane = _shade((110, 130, 150), rng.uniform(0.7, 1.3))
    shapes = [
        _rectangle(x, base - tall, x + wide, base, wall),
        _rectangle(x, base - tall, x + wide, base - tall + 5, _shade(wall, 0.7)),
    ]
    columns, rows = max(int(wide // 28), 1), max(int(tall // 34), 1)
    for column in range(columns):
        for row in range(rows):
            left, top = x + (column + 0.28) * wide / columns, base - tall + 10 + row * (tall - 10) / rows
            shapes.append(_rectangle(left, top, left + 0.45 * wide / columns, top + 0.5 * tall / rows, pane))
    return shapes


def _sky(width: int, height: int, target: Extent, rng: Rng) -> Image.Image:
    horizon = height * rng.uniform(0.85, 1.3)
    image = _backdrop(width, height, horizon, SKIES[rng.integers(3)], _pick(GRASSES, rng), rng)
    shapes = [_hill(width, horizon, rng) for _ in range(rng.integers(0, 3))]
    if rng.random() < 0.3:
        shapes.insert(0, _ellipse(rng.uniform(0, width), rng.uniform(0, 0.5 * height), 22, 22, (255, 240, 190)))
    for _ in range(rng.integers(1, 5)):
        shapes += _cloud(rng.uniform(0, width), rng.uniform(0, height), rng.uniform(20, 55), rng)
    _paint(image, shapes)
    return image


def _runway(width: int, height: int, target: Extent, rng: Rng) -> Image.Image:
    horizon, road = _horizon(height, target, rng), _pick(ROADS, rng)
    image = _backdrop(width, height, horizon, SKIES[rng.integers(3)], _pick(GRASSES, rng), rng)
    top = (horizon + target[3]) / 2
    shapes = [_hill(width, horizon, rng) for _ in range(2)]
    shapes += _cloud(rng.uniform(0, width), rng.uniform(0, horizon), rng.uniform(15, 40), rng)
    tower = rng.uniform(0, width)
    shapes += [
        _rectangle(tower, horizon - 50, tower + 8, horizon, (200, 200, 205)),
        _polygon(
            [
                (tower - 8, horizon - 62),
                (tower + 16, horizon - 62),
                (tower + 11, horizon - 48),
                (tower - 3, horizon - 48),
            ],
            GLASS,
        ),
    ]
    shapes.append(_rectangle(0, top, width, min(target[3] + 30, height), road))
    shapes += [
        _rectangle(x, target[3] + 12, x + 26, target[3] + 15, WHITE) for x in range(int(rng.integers(0, 50)), width, 50)
    ]
    _paint(image, [*shapes, _shadow(target, road)])
    return image


def _street(width: int, height: int, target: Extent, rng: Rng) -> Image.Image:
    horizon, road = _horizon(height, target, rng), _pick(ROADS, rng)
    image = _backdrop(width, height, horizon, SKIES[rng.integers(3)], road, rng)
    shapes: list[Shape] = []
    x = -rng.uniform(0, 60)
    while x < width:
        wide = rng.uniform(60, 140)
        if rng.random() < 0.8:
            shapes += _house(x, horizon, wide - 4, rng.uniform(0.4, 1.1) * max(horizon, 60), rng)
        else:
            shapes += _tree(x + wide / 2, horizon, rng.uniform(60, 110), rng)
        x += wide
    shapes.append(_rectangle(0, horizon, width, horizon + 9, (185, 180, 175)))
    line = rng.uniform(horizon, height)
    shapes += [_rectangle(x, line, x + 34, line + 4, WHITE) for x in range(int(rng.integers(-30, 30)), width, 64)]
    _paint(image, [*shapes, _shadow(target, road)])
    return image


def _country_road(width: int, height: int, target: Extent, rng: Rng) -> Image.Image:
    horizon, road = _horizon(height, target, rng), _pick(ROADS, rng)
    image = _backdrop(width, height, horizon, SKIES[rng.integers(3)], _pick(GRASSES, rng), rng)
    shapes = [_hill(width, horizon, rng) for _ in range(rng.integers(1, 4))]
    shapes += _cloud(rng.uniform(0, width), rng.uniform(0, horizon), rng.uniform(15, 40), rng)
    for _ in range(rng.integers(1, 6)):
        shapes += _tree(rng.uniform(0, width), horizon + rng.uniform(0, 8), rng.uniform(40, 120), rng)
    top = (horizon + target[3]) / 2
    shapes.append(_rectangle(0, top, width, min(target[3] + rng.uniform(15, 60), height), road))
    _paint(image, [*shapes, _shadow(target, road)])
    return image


def _garden(width: int, height: int, target: Extent, rng: Rng) -> Image.Image:
    horizon, grass = _horizon(height, target, rng), _pick(GRASSES, rng)
    image = _backdrop(width, height, horizon, SKIES[rng.integers(3)], grass, rng)
    shapes: list[Shape] = []
    for _ in range(rng.integers(1, 4)):
        shapes += _tree(rng.uniform(0, width), horizon, rng.uniform(60, 150), rng)
    if rng.random() < 0.5:
        fence, top = _pick([(235, 230, 220), (150, 110, 75)], rng), horizon - rng.uniform(30, 60)
        shapes += [
            _rectangle(0, top + 10, width, top + 15, fence),
            _rectangle(0, horizon - 12, width, horizon - 7, fence),
        ]
        for post in range(0, width, 22):
            right = post + 12
            shapes.append(
                _polygon(
                    [(post, horizon + 3), (post, top), (post + 6, top - 7), (right, top), (right, horizon + 3)],
                    fence,
                )
            )
    for _ in range(rng.integers(5, 30)):
        x, y = rng.uniform(0, width), rng.uniform(horizon, height)
        shapes += [
            _rectangle(x - 0.7, y, x + 0.7, y + 9, _shade(grass, 0.7)),
            _ellipse(x, y, 3, 3, _pick(PAINTS, rng)),
        ]
    _paint(image, [*shapes, _shadow(target, grass)])
    return image


def _room(width: int, height: int, target: Extent, rng: Rng) -> Image.Image:
    horizon = _horizon(height, target, rng)
    wall, floor = (
        _pick([(225, 210, 185), (180, 200, 205), (205, 185, 195), (190, 205, 175)], rng),
        _pick([(165, 120, 80), (140, 105, 85), (185, 175, 165)], rng),
    )
    image = _backdrop(width, height, horizon, (wall, _shade(wall, 0.9)), floor, rng)
    shapes = [_rectangle(0, horizon - 8, width, horizon, WHITE)]
    y = horizon
    while y < height:
        shapes.append(_rectangle(0, y, width, y + 1.2, _shade(floor, 0.75)))
        y += 8 + 0.12 * (y - horizon)
    for _ in range(rng.integers(1, 4)):
        x, top, wide, tall = (
            rng.uniform(-20, width),
            rng.uniform(-20, horizon),
            rng.uniform(40, 110),
            rng.uniform(40, 100),
        )
        tall = min(tall, horizon - 12 - top)
        if tall > 15:
            shapes += [
                _rectangle(x, top, x + wide, top + tall, _pick([WHITE, (90, 70, 50)], rng)),
                _rectangle(x + 5, top + 5, x + wide - 5, top + tall - 5, _pick([(170, 210, 235), *PAINTS], rng)),
            ]
    if rng.random() < 0.6:
        x, wide, sofa = rng.uniform(-40, width), rng.uniform(110, 200), _pick(PAINTS, rng)
        shapes += [
            _blob(
                [(x, horizon + 22), (x, horizon - 50), (x + wide, horizon - 50), (x + wide, horizon + 22)],
                sofa,
                rounds=1,
            ),
            _rectangle(x + 12, horizon - 12, x + wide - 12, horizon + 12, _shade(sofa, 0.85)),
        ]
    if rng.random() < 0.5:
        shapes.append(
            _ellipse(
                rng.uniform(0, width),
                rng.uniform(horizon, height),
                rng.uniform(80, 180),
                rng.uniform(12, 30),
                _pick(PAINTS, rng),
            )
        )
    _paint(image, [*shapes, _shadow(target, floor)])
    return image


def _light(image: Image.Image, rng: Rng) -> Image.Image:
    """Add brightness falling across the picture, a tint, and the grain of a camera."""
    height, width = image.height, image.width
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
    slope = rng.uniform(-0.15, 0.15, 2)
    light = rng.uniform(0.75, 1.1) * (1 + slope[0] * x[None, :] + slope[1] * y[:, None])
    tint = 1 + rng.uniform(-0.06, 0.06, 3)
    grain = rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(rng.uniform(1.5, 4.5))
    pixels = np.asarray(image, dtype=np.float32) * light[..., None].astype(np.float32) * tint.astype(np.float32)
    return Image.fromarray(np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8))
