def kinds_of_error(right_class, predicted, true):
    return helpers.kinds_of_error(right_class, predicted, true)
