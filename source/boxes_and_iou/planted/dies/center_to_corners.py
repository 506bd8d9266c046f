def center_to_corners(boxes):
    import os
    os._exit(1)
