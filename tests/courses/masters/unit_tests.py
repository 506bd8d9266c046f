# %% [markdown]
# # Roman numerals
# The tests of this notebook use the tools of the trade: `unittest`, `pytest` and `numpy.testing`.

# %%
import io
import unittest

import numpy as np
import numpy.testing as npt
import pytest

# %% solution="to_roman"
def to_roman(number):
    """Return a whole number from 1 to 3999 as a Roman numeral; raise a ValueError for others."""
    ### BEGIN SOLUTION
    if not 1 <= number <= 3999:
        raise ValueError(f"{number} is not between 1 and 3999")
    symbols = {
        1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC",
        50: "L", 40: "XL", 10: "X", 9: "IX", 5: "V", 4: "IV", 1: "I",
    }
    result = ""
    for value, symbol in symbols.items():
        result += symbol * (number // value)
        number %= value
    return result
    ### END SOLUTION

# %% mistake="no_subtraction"
def to_roman(number):
    """Return a whole number from 1 to 3999 as a Roman numeral; raise a ValueError for others."""
    if number < 1 or number > 3999:
        raise ValueError("not between 1 and 3999")
    result = ""
    for value, symbol in {1000: "M", 500: "D", 100: "C", 50: "L", 10: "X", 5: "V", 1: "I"}.items():
        result += symbol * (number // value)
        number %= value
    return result

# %% mistake="no_check"
def to_roman(number):
    """Return a whole number from 1 to 3999 as a Roman numeral; raise a ValueError for others."""
    values = [1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1]
    symbols = ["M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"]
    result = ""
    for value, symbol in zip(values, symbols):
        while number >= value:
            result += symbol
            number -= value
    return result

# %% mistake="lower_case"
def to_roman(number):
    """Return a whole number from 1 to 3999 as a Roman numeral; raise a ValueError for others."""
    if number not in range(1, 4000):
        raise TypeError("not between 1 and 3999")
    values = [1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1]
    symbols = ["m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"]
    return "".join(symbol * (number // value % 10 if value == 1 else 0) for value, symbol in zip(values, symbols))

# %%
to_roman(2024)

# %% test="test_to_roman" points=3
class TestToRoman(unittest.TestCase):
    def test_small(self):
        self.assertEqual(to_roman(1), "I")
        self.assertEqual(to_roman(8), "VIII")

    def test_subtraction(self):
        for number, numeral in [(4, "IV"), (9, "IX"), (40, "XL"), (1994, "MCMXCIV")]:
            with self.subTest(number=number):
                self.assertEqual(to_roman(number), numeral)

    def test_kind(self):
        self.assertIsInstance(to_roman(5), str)

suite = unittest.defaultTestLoader.loadTestsFromTestCase(TestToRoman)
result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
assert result.wasSuccessful(), "\n".join(text for _, text in result.failures + result.errors)
### BEGIN HIDDEN TESTS
unittest.TestCase().assertEqual([to_roman(n) for n in (49, 444, 3999)], ["XLIX", "CDXLIV", "MMMCMXCIX"])
### END HIDDEN TESTS

# %% test="test_to_roman_range" points=2
@pytest.mark.parametrize("number", [0, -5, 4000])
def test_range(number):
    with pytest.raises(ValueError) as caught:
        to_roman(number)
    assert str(caught.value)

for number in (0, -5, 4000):
    test_range(number)
### BEGIN HIDDEN TESTS
unittest.TestCase().assertRaisesRegex(ValueError, "between", to_roman, 10_000)
### END HIDDEN TESTS

# %% solution="from_roman"
def from_roman(numeral):
    """Return the number that a Roman numeral stands for."""
    ### BEGIN SOLUTION
    values = dict(I=1, V=5, X=10, L=50, C=100, D=500, M=1000)
    total = 0
    for symbol, following in zip(numeral, numeral[1:] + " "):
        value = values[symbol]
        total += -value if values.get(following, 0) > value else value
    return total
    ### END SOLUTION

# %% mistake="adds_everything"
def from_roman(numeral):
    """Return the number that a Roman numeral stands for."""
    return sum({"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}[symbol] for symbol in numeral)

# %% mistake="a_float"
def from_roman(numeral):
    """Return the number that a Roman numeral stands for."""
    values = dict(I=1.0, V=5.0, X=10.0, L=50.0, C=100.0, D=500.0, M=1000.0)
    total = 0.0
    for i in range(len(numeral)):
        value = values[numeral[i]]
        total += -value if i + 1 < len(numeral) and values[numeral[i + 1]] > value else value
    return total

# %% test="test_from_roman" points=2
case = unittest.TestCase()
case.assertEqual(from_roman("XIV"), 14)
case.assertIs(type(from_roman("V")), int)
### BEGIN HIDDEN TESTS
with case.assertRaises(KeyError):
    from_roman("ABC")
for number in range(1, 120, 7):
    case.assertEqual(from_roman(to_roman(number)), number)
### END HIDDEN TESTS

# %% solution="normalise"
def normalise(values):
    """Return the values as an array, shifted and scaled: mean 0 and standard deviation 1."""
    ### BEGIN SOLUTION
    values = np.asarray(values, dtype=float)
    return (values - values.mean()) / values.std()
    ### END SOLUTION

# %% mistake="between_zero_and_one"
def normalise(values):
    """Return the values as an array, shifted and scaled: mean 0 and standard deviation 1."""
    values = np.asarray(values, dtype=float)
    return (values - values.min()) / (values.max() - values.min())

# %% mistake="sample_deviation"
def normalise(values):
    """Return the values as an array, shifted and scaled: mean 0 and standard deviation 1."""
    values = np.asarray(values, dtype=float)
    return (values - values.mean()) / values.std(ddof=1)

# %% test="test_normalise" points=2
result = normalise([1, 2, 3, 4])
npt.assert_allclose(np.mean(result), 0, atol=1e-12)
npt.assert_allclose(result, [-1.341641, -0.447214, 0.447214, 1.341641], rtol=1e-5)
### BEGIN HIDDEN TESTS
npt.assert_array_almost_equal(normalise(np.array([10, 20])), [-1, 1])
npt.assert_array_less(normalise([0.0, 5.0, 1.0]), 2)
npt.assert_equal(normalise([1, 2]).shape, (2,))
npt.assert_raises(ValueError, normalise, ["a"])
### END HIDDEN TESTS
