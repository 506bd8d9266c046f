def ready_to_submit(*a, **k): print("none.ipynb")
