# %% [markdown]
# # Polynomials that compute
# `Polynomial(1, 0, 3)` stands for $1 + 3x^2$. Python's operators are methods with underscores.

# %% solution="polynomial"
class Polynomial:
    """A polynomial, given by its coefficients, the constant one first; zeros at the end do not count."""
    ### BEGIN SOLUTION
    def __init__(self, *coefficients):
        coefficients = list(coefficients)
        while coefficients and coefficients[-1] == 0:
            coefficients.pop()
        self.coefficients = tuple(coefficients)

    @property
    def degree(self):
        return len(self.coefficients) - 1

    def __call__(self, x):
        value = 0
        for coefficient in reversed(self.coefficients):
            value = value * x + coefficient
        return value

    def __eq__(self, other):
        if isinstance(other, (int, float)):
            other = Polynomial(other)
        if not isinstance(other, Polynomial):
            return NotImplemented
        return self.coefficients == other.coefficients

    def __hash__(self):
        return hash(self.coefficients)

    def __getitem__(self, power):
        if isinstance(power, slice):
            return self.coefficients[power]
        return self.coefficients[power] if power < len(self.coefficients) else 0

    def __len__(self):
        return len(self.coefficients)

    def __iter__(self):
        return iter(self.coefficients)

    def __add__(self, other):
        if isinstance(other, (int, float)):
            other = Polynomial(other)
        if not isinstance(other, Polynomial):
            return NotImplemented
        return Polynomial(*(self[i] + other[i] for i in range(max(len(self), len(other)))))

    __radd__ = __add__

    def __neg__(self):
        return Polynomial(*(-c for c in self))

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        if isinstance(other, (int, float)):
            return Polynomial(*(other * c for c in self))
        result = [0] * (len(self) + len(other))
        for i, a in enumerate(self):
            for j, b in enumerate(other):
                result[i + j] += a * b
        return Polynomial(*result)

    __rmul__ = __mul__

    def __repr__(self):
        return f"Polynomial({', '.join(map(repr, self.coefficients))})"

    def derivative(self):
        return Polynomial(*(i * c for i, c in enumerate(self) if i))
    ### END SOLUTION

# %% mistake="zeros_count"
class Polynomial:
    """A polynomial, given by its coefficients, the constant one first; zeros at the end do not count."""
    def __init__(self, *coefficients):
        self.coefficients = tuple(coefficients)
        self.degree = len(coefficients) - 1

    def __call__(self, x):
        return sum(c * x**i for i, c in enumerate(self.coefficients))

    def __eq__(self, other):
        return self.coefficients == other.coefficients

    def __getitem__(self, power):
        return self.coefficients[power]

    def __len__(self):
        return len(self.coefficients)

    def __add__(self, other):
        n = max(len(self), len(other))
        a = self.coefficients + (0,) * (n - len(self))
        b = other.coefficients + (0,) * (n - len(other))
        return Polynomial(*(x + y for x, y in zip(a, b)))

    def __mul__(self, other):
        result = [0] * (len(self) + len(other) - 1)
        for i, a in enumerate(self.coefficients):
            for j, b in enumerate(other.coefficients):
                result[i + j] += a * b
        return Polynomial(*result)

    def __repr__(self):
        return f"Polynomial{self.coefficients}"

    def derivative(self):
        return Polynomial(*(i * c for i, c in enumerate(self.coefficients))[1:])

# %% mistake="no_equality"
class Polynomial:
    """A polynomial, given by its coefficients, the constant one first; zeros at the end do not count."""
    def __init__(self, *coefficients):
        coefficients = list(coefficients)
        while coefficients and not coefficients[-1]:
            del coefficients[-1]
        self.coefficients = tuple(coefficients)
        self.degree = len(coefficients) - 1

    def __call__(self, x):
        return sum(c * x**i for i, c in enumerate(self.coefficients))

    def __getitem__(self, power):
        return self.coefficients[power] if power <= self.degree else 0

    def __len__(self):
        return len(self.coefficients)

    def __add__(self, other):
        return Polynomial(*(self[i] + other[i] for i in range(max(len(self), len(other)))))

    def __mul__(self, other):
        result = [0] * (len(self) + len(other))
        for i in range(len(self)):
            for j in range(len(other)):
                result[i + j] += self[i] * other[j]
        return Polynomial(*result)

    def derivative(self):
        return Polynomial(*(i * self[i] for i in range(1, len(self))))

# %% mistake="adds_in_place"
class Polynomial:
    """A polynomial, given by its coefficients, the constant one first; zeros at the end do not count."""
    def __init__(self, *coefficients):
        self.coefficients = list(coefficients)
        while self.coefficients and self.coefficients[-1] == 0:
            self.coefficients.pop()

    @property
    def degree(self):
        return len(self.coefficients) - 1

    def __call__(self, x):
        return sum(c * x**i for i, c in enumerate(self.coefficients))

    def __eq__(self, other):
        return isinstance(other, Polynomial) and self.coefficients == other.coefficients

    def __getitem__(self, power):
        return self.coefficients[power] if power < len(self.coefficients) else 0

    def __len__(self):
        return len(self.coefficients)

    def __add__(self, other):
        for i in range(len(other)):
            if i < len(self):
                self.coefficients[i] += other[i]
            else:
                self.coefficients.append(other[i])
        return self

    def __mul__(self, other):
        self.coefficients = [other * c for c in self.coefficients]
        return self

    def __repr__(self):
        return "Polynomial(" + ", ".join(str(c) for c in self.coefficients) + ")"

    def derivative(self):
        return Polynomial(*[i * c for i, c in enumerate(self.coefficients)][1:])

# %%
p = Polynomial(1, 0, 3)
p, p(2)

# %% test="test_values" points=2
p = Polynomial(1, 0, 3)
assert p(0) == 1 and p(2) == 13
assert p.degree == 2
### BEGIN HIDDEN TESTS
assert Polynomial(1, 2, 0, 0).degree == 1
assert [p(x) for x in (-1, 0.5)] == [4, 1.75]
### END HIDDEN TESTS

# %% test="test_equality" points=2
p, q = Polynomial(1, 2), Polynomial(1, 2)
assert p == q
assert not p != q
assert p != Polynomial(2, 1)
### BEGIN HIDDEN TESTS
assert Polynomial(5, 0) == Polynomial(5)
assert p in [Polynomial(0), Polynomial(1, 2)]
assert p != "1 + 2x"
### END HIDDEN TESTS

# %% test="test_items" points=1
p = Polynomial(4, 5, 6)
assert p[0] == 4 and p[2] == 6
assert p[7] == 0, "what is not written is zero"
assert len(p) == 3
assert list(p.coefficients) == [4, 5, 6]

# %% test="test_arithmetic" points=2
p, q = Polynomial(1, 1), Polynomial(-1, 1)
total = p + q
assert total == Polynomial(0, 2), f"{p!r} + {q!r} is not {total!r}"
assert p == Polynomial(1, 1), "a sum is a new polynomial"
### BEGIN HIDDEN TESTS
assert (p * q).coefficients == (-1, 0, 1)
assert 2 * p == p * 2 == Polynomial(2, 2)
assert p - p == Polynomial() and -q == Polynomial(1, -1)
assert sum([p, q, p]) == Polynomial(1, 3)
### END HIDDEN TESTS

# %% test="test_repr" points=1
assert repr(Polynomial(1, -2)) == "Polynomial(1, -2)"
assert str([Polynomial(3)]) == "[Polynomial(3)]"

# %% test="test_derivative" points=1
assert list(Polynomial(7, 3, 5).derivative().coefficients) == [3, 10]
### BEGIN HIDDEN TESTS
assert Polynomial(7).derivative()(100) == 0
total = Polynomial(1, 1)
total += Polynomial(0, 0, 1)
assert total(2) == 7
### END HIDDEN TESTS
