# %% [markdown]
# # Printing
# These functions print; they return nothing. Spaces matter.

# %%
import io
from contextlib import redirect_stdout

# %% locked="printed"
def printed(function, *arguments):
    """Return what a call prints."""
    buffer = io.StringIO()
    with redirect_stdout(buffer):
        function(*arguments)
    return buffer.getvalue()

# %% solution="triangle"
def triangle(n):
    """Print a triangle of stars: one star in the first line, n in the last."""
    ### BEGIN SOLUTION
    for i in range(1, n + 1):
        print("*" * i)
    ### END SOLUTION

# %% mistake="returns_the_text"
def triangle(n):
    """Print a triangle of stars: one star in the first line, n in the last."""
    return "\n".join("*" * i for i in range(1, n + 1))

# %% mistake="one_line_less"
def triangle(n):
    """Print a triangle of stars: one star in the first line, n in the last."""
    for i in range(1, n):
        print("*" * i)

# %% mistake="spaces_between"
def triangle(n):
    """Print a triangle of stars: one star in the first line, n in the last."""
    for i in range(1, n + 1):
        print(*"*" * i)

# %% mistake="upside_down"
def triangle(n):
    """Print a triangle of stars: one star in the first line, n in the last."""
    for i in range(n, 0, -1):
        print("*" * i)

# %%
triangle(4)

# %% test="test_triangle" points=2
assert printed(triangle, 1) == "*\n"
assert printed(triangle, 3) == "*\n**\n***\n"
### BEGIN HIDDEN TESTS
assert printed(triangle, 0) == ""
lines = printed(triangle, 30).splitlines()
assert [len(line) for line in lines] == list(range(1, 31))
### END HIDDEN TESTS

# %% [markdown]
# ## A table

# %% solution="multiplication_table"
def multiplication_table(n):
    """Print the products of 1 to n, each in 4 places, a row for each factor."""
    ### BEGIN SOLUTION
    for i in range(1, n + 1):
        print("".join(f"{i * j:4}" for j in range(1, n + 1)))
    ### END SOLUTION

# %% mistake="spaces_at_the_end"
def multiplication_table(n):
    """Print the products of 1 to n, each in 4 places, a row for each factor."""
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            print(f"{i * j:4}", end=" ")
        print()

# %% mistake="tabs"
def multiplication_table(n):
    """Print the products of 1 to n, each in 4 places, a row for each factor."""
    for i in range(1, n + 1):
        print(*[i * j for j in range(1, n + 1)], sep="\t")

# %% mistake="forgets_to_end_the_line"
def multiplication_table(n):
    """Print the products of 1 to n, each in 4 places, a row for each factor."""
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            print(f"{i * j:4}", end="")

# %% test="test_multiplication_table" points=2
buffer = io.StringIO()
with redirect_stdout(buffer):
    result = multiplication_table(3)
lines = buffer.getvalue().rstrip("\n").split("\n")
assert result is None
assert len(lines) == 3, f"three rows were expected, you printed {len(lines)}"
assert lines[1].split() == ["2", "4", "6"]
### BEGIN HIDDEN TESTS
assert lines == ["   1   2   3", "   2   4   6", "   3   6   9"]
### END HIDDEN TESTS

# %% test="test_table_is_shown" points=1 tags=["beside-student"]
# %%capture shown
multiplication_table(2)

# %% test="test_table_as_captured" points=1 tags=["beside-student"]
assert shown.stdout.split() == ["1", "2", "2", "4"], shown.stdout

# %% [markdown]
# ## Asking
# `ask_number(prompt)` asks with `input` until a whole number is typed, says `Not a number!` each time it is none, and
# returns the number.

# %% solution="ask_number"
def ask_number(prompt):
    ### BEGIN SOLUTION
    while True:
        try:
            return int(input(prompt))
        except ValueError:
            print("Not a number!")
    ### END SOLUTION

# %% mistake="asks_once"
def ask_number(prompt):
    answer = input(prompt)
    if answer.isdigit():
        return int(answer)
    print("Not a number!")

# %% mistake="returns_text"
def ask_number(prompt):
    answer = input(prompt)
    while not answer.lstrip("-").isdigit():
        print("Not a number!")
        answer = input(prompt)
    return answer

# %% test="test_ask_number" points=2 tags=["beside-student"]
from unittest.mock import patch

with patch("builtins.input", side_effect=["x", "", "-7"]) as asked:
    text = printed(lambda: print(repr(ask_number("n? "))))
assert text == "Not a number!\nNot a number!\n-7\n", text
assert asked.call_count == 3
assert asked.call_args.args == ("n? ",)
