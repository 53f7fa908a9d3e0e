"""Common corruptions of pictures (hendrycks2019benchmarking), five severities each.

Written here after the published parameters, because no package fits. imagecorruptions, the usual
one, was last released in 2020 and calls names that NumPy 2 and today's scikit-image and SciPy no
longer have; it needs OpenCV besides. torchvision and kornia have noise and blur, but not these
corruptions at these strengths.

The parameters are published for pictures of 224 (ImageNet-C), 64 (Tiny-ImageNet-C) and 32 pixels
(CIFAR-C), and differ; those of the nearest size are used. Frost is drawn here, for the paper lays
photographs over the picture. What was done there by ImageMagick and OpenCV (motion blur, spatter,
warps) is done by SciPy here, so numbers are near those of the published files, not the same.
"""
