"""Makes the archives of the image matrix in ../resources/matrix, which ImageMatrixTest reads: python image_matrix.py [FORMAT ...]

Needs Pillow 12 and NumPy. The same files come out every time, as long as Pillow's encoders do not change. The archive of TIFF files
has a script of its own.
"""
import importlib
import sys

for name in sys.argv[1:] or ("png", "gif", "bmp", "jpeg", "webp"):
    importlib.import_module("matrix_" + name).make()
