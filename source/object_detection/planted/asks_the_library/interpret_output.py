interpret_output = helpers.interpret_output
