# %% [markdown]
# # Files
# Beside this notebook lies `temperatures.csv`: places and temperatures, some of which are missing.

# %%
import csv
import json
import tempfile
from pathlib import Path

# %% solution="count_lines"
def count_lines(path):
    """Return how many lines of a text file are not empty."""
    ### BEGIN SOLUTION
    with open(path, encoding="utf-8") as file:
        return sum(1 for line in file if line.strip())
    ### END SOLUTION

# %% mistake="counts_empty_ones"
def count_lines(path):
    """Return how many lines of a text file are not empty."""
    return len(open(path, encoding="utf-8").readlines())

# %% mistake="counts_letters"
def count_lines(path):
    """Return how many lines of a text file are not empty."""
    with open(path) as file:
        return len([line for line in file.read() if line.strip()])

# %% mistake="wants_a_string"
def count_lines(path):
    """Return how many lines of a text file are not empty."""
    if not path.endswith(".txt"):
        path = path + ".txt"
    with open(path) as file:
        return len([line for line in file if line != "\n"])

# %% test="test_count_lines" points=2
with open("lines.txt", "w", encoding="utf-8") as file:
    file.write("one\n\ntwo\n   \nthree")
assert count_lines("lines.txt") == 3
### BEGIN HIDDEN TESTS
Path("lines.txt").write_text("")
assert count_lines(Path("lines.txt")) == 0
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "numbers.csv")
    path.write_text("ä\n" * 500, encoding="utf-8")
    assert count_lines(path) == 500
### END HIDDEN TESTS

# %% solution="read_temperatures"
def read_temperatures(path):
    """Return {place: temperature as a float}; places without a temperature are left out."""
    ### BEGIN SOLUTION
    with open(path, newline="", encoding="utf-8") as file:
        return {row["place"]: float(row["degrees"]) for row in csv.DictReader(file) if row["degrees"]}
    ### END SOLUTION

# %% mistake="text_not_numbers"
def read_temperatures(path):
    """Return {place: temperature as a float}; places without a temperature are left out."""
    with open(path, newline="", encoding="utf-8") as file:
        return {row["place"]: row["degrees"] for row in csv.DictReader(file) if row["degrees"]}

# %% mistake="missing_is_zero"
def read_temperatures(path):
    """Return {place: temperature as a float}; places without a temperature are left out."""
    with open(path, newline="", encoding="utf-8") as file:
        return {row["place"]: float(row["degrees"] or 0) for row in csv.DictReader(file)}

# %% mistake="splits_at_commas"
def read_temperatures(path):
    """Return {place: temperature as a float}; places without a temperature are left out."""
    temperatures = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines()[1:]:
        place, degrees = line.split(",")[:2]
        if degrees:
            temperatures[place] = float(degrees)
    return temperatures

# %%
read_temperatures("temperatures.csv")

# %% test="test_read_temperatures" points=2
temperatures = read_temperatures("temperatures.csv")
assert temperatures["Oslo"] == -3.5
assert "Lima" not in temperatures
### BEGIN HIDDEN TESTS
assert temperatures == {"Oslo": -3.5, "Washington, D.C.": 11.0, "Nairobi": 24.25}
### END HIDDEN TESTS

# %% [markdown]
# ## Writing
# `save(data, folder)` writes a JSON file `data.json` into the folder, which it makes if it is not there, and returns
# the file's path (a `Path`).

# %% solution="save"
def save(data, folder):
    ### BEGIN SOLUTION
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "data.json"
    path.write_text(json.dumps(data, indent=2), encoding="utf-8")
    return path
    ### END SOLUTION

def append_line(file, text):
    """Write a line to an open file: the text and a line feed."""
    ### BEGIN SOLUTION
    file.write(text + "\n")
    ### END SOLUTION

# %% mistake="returns_nothing"
def save(data, folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    with open(f"{folder}/data.json", "w") as file:
        json.dump(data, file)

def append_line(file, text):
    """Write a line to an open file: the text and a line feed."""
    file.write(text)

# %% mistake="folder_must_be_there"
def save(data, folder):
    path = Path(folder) / "data.json"
    with open(path, "w") as file:
        json.dump(data, file)
    return path

def append_line(file, text):
    """Write a line to an open file: the text and a line feed."""
    print(text, file=file)

# %% mistake="python_not_json"
def save(data, folder):
    path = Path(folder) / "data.json"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(str(data))
    return str(path)

def append_line(file, text):
    """Write a line to an open file: the text and a line feed."""
    file.writelines([text, "\n"])
    file.close()

# %% test="test_save" points=2
path = save({"a": [1, 2]}, "made/here")
assert path == Path("made/here/data.json")
with open("made/here/data.json") as file:
    assert json.load(file) == {"a": [1, 2]}
### BEGIN HIDDEN TESTS
assert json.loads(save([None, True], Path("made")).read_text()) == [None, True]
assert Path("made/here/data.json").exists()
### END HIDDEN TESTS

# %% test="test_append_line" points=1
import io

buffer = io.StringIO()
append_line(buffer, "first")
append_line(buffer, "second")
assert buffer.getvalue() == "first\nsecond\n"
### BEGIN HIDDEN TESTS
with open("log.txt", "w") as log:
    append_line(log, "only")
    assert not log.closed
assert Path("log.txt").read_text() == "only\n"
### END HIDDEN TESTS
