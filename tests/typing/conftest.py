"""The two scripts are read by type checkers, not imported: doctest would import them."""

collect_ignore = ["user_script.py", "wrong_calls.py"]
