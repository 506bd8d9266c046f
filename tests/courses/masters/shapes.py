# %% [markdown]
# # Shapes
# An abstract class is given. Write two classes that derive from it.

# %%
import math
from abc import ABC, abstractmethod

# %% locked="shape"
class Shape(ABC):
    """Something with an area."""

    @abstractmethod
    def area(self):
        """Return the area."""

    @abstractmethod
    def scaled(self, factor):
        """Return a shape of the same kind, larger by this factor."""

    def describe(self):
        return f"{type(self).__name__} of area {self.area():.1f}"

def total_area(shapes):
    return sum(shape.area() for shape in shapes)

# %% solution="circle"
class Circle(Shape):
    """A circle; give its radius."""
    ### BEGIN SOLUTION
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return math.pi * self.radius**2

    def scaled(self, factor):
        return Circle(self.radius * factor)
    ### END SOLUTION

# %% mistake="scales_itself"
class Circle(Shape):
    """A circle; give its radius."""
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return math.pi * self.radius**2

    def scaled(self, factor):
        self.radius *= factor
        return self

# %% mistake="without_scaled"
class Circle(Shape):
    """A circle; give its radius."""
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return math.pi * self.radius**2

# %% mistake="diameter_for_radius"
class Circle(Shape):
    """A circle; give its radius."""
    def __init__(self, diameter):
        self.radius = diameter / 2

    def area(self):
        return math.pi * self.radius**2

    def scaled(self, factor):
        return Circle(2 * self.radius * factor)

# %% solution="rectangle"
class Rectangle(Shape):
    """A rectangle; give its width and its height. Both must be positive (ValueError)."""
    ### BEGIN SOLUTION
    def __init__(self, width, height):
        if width <= 0 or height <= 0:
            raise ValueError("sides must be positive")
        self.width, self.height = width, height

    @property
    def is_square(self):
        return self.width == self.height

    def area(self):
        return self.width * self.height

    def scaled(self, factor):
        return type(self)(self.width * factor, self.height * factor)
    ### END SOLUTION

# %% mistake="is_square_is_a_method"
class Rectangle(Shape):
    """A rectangle; give its width and its height. Both must be positive (ValueError)."""
    def __init__(self, width, height):
        if width <= 0 or height <= 0:
            raise ValueError("sides must be positive")
        self.width, self.height = width, height

    def is_square(self):
        return self.width == self.height

    def area(self):
        return self.width * self.height

    def scaled(self, factor):
        return Rectangle(self.width * factor, self.height * factor)

# %% mistake="asserts_instead"
class Rectangle(Shape):
    """A rectangle; give its width and its height. Both must be positive (ValueError)."""
    def __init__(self, width, height):
        assert width > 0 and height > 0
        self.width, self.height = width, height

    @property
    def is_square(self):
        return self.width is self.height

    def area(self):
        return self.width * self.height

    def scaled(self, factor):
        return Rectangle(self.width * factor, self.height * factor)

# %% mistake="is_no_shape"
class Rectangle:
    """A rectangle; give its width and its height. Both must be positive (ValueError)."""
    def __init__(self, width, height):
        if width <= 0 or height <= 0:
            raise ValueError("sides must be positive")
        self.width, self.height = width, height

    @property
    def is_square(self):
        return self.width == self.height

    def area(self):
        return self.width * self.height

    def scaled(self, factor):
        return Rectangle(self.width * factor, self.height * factor)

# %%
shapes = [Circle(1), Rectangle(2, 3)]
[shape.describe() for shape in shapes]

# %% test="test_circle" points=2
circle = Circle(2)
assert abs(circle.area() - 4 * math.pi) < 1e-9
assert circle.describe() == "Circle of area 12.6"
### BEGIN HIDDEN TESTS
assert Circle(0).area() == 0
assert isinstance(circle, Shape) and isinstance(circle, Circle)
### END HIDDEN TESTS

# %% test="test_circle_scaled" points=1
circle = Circle(1)
large = circle.scaled(3)
assert abs(large.area() - 9 * math.pi) < 1e-9
assert abs(circle.area() - math.pi) < 1e-9, "the old circle stays as it was"
assert type(large) is Circle

# %% test="test_rectangle" points=2
rectangle = Rectangle(2, 4)
assert rectangle.area() == 8
assert rectangle.is_square is False, "is_square is a property"
assert rectangle.scaled(0.5).area() == 2
### BEGIN HIDDEN TESTS
assert Rectangle(3, 3.0).is_square is True
assert type(rectangle.scaled(2)).__name__ == "Rectangle"
### END HIDDEN TESTS

# %% test="test_rectangle_sides" points=1
for width, height in [(0, 1), (1, -2)]:
    try:
        Rectangle(width, height)
    except ValueError as error:
        assert str(error), "say what is wrong"
    else:
        raise AssertionError(f"Rectangle({width}, {height}) was accepted")

# %% test="test_many_shapes" points=2
shapes = [Rectangle(1, 2), Rectangle(3, 4), Circle(1)]
assert all(isinstance(shape, Shape) for shape in shapes)
assert issubclass(Circle, Shape) and issubclass(Rectangle, Shape)
assert abs(total_area(shapes) - 14 - math.pi) < 1e-9
### BEGIN HIDDEN TESTS
assert max(shapes, key=lambda shape: shape.area()).describe() == "Rectangle of area 12.0"
assert sorted(type(shape).__name__ for shape in shapes) == ["Circle", "Rectangle", "Rectangle"]
### END HIDDEN TESTS

# %% test="test_derived_shape" points=1 tags=["beside-student"]
# A class that derives from yours: it is made beside your code.
class Square(Rectangle):
    def __init__(self, side, _=None):
        super().__init__(side, side)

assert Square(3).area() == 9
assert Square(3).is_square
assert type(Square(1).scaled(2)) is Square or Square(1).scaled(2).area() == 4
