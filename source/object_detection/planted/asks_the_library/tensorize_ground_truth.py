def tensorize_ground_truth(annotations, side):
    """Classes (N, 5), one-hot in the order of CLASSES, and centre boxes (N, 4) in a frame of side x side pixels."""
    return helpers.tensorize_ground_truth(annotations)
