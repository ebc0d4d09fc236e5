"""The published network architectures, each in a file of its own.

A file has one public function, named after the architecture, that takes keyword arguments and gives a ``torch.nn.Module``.
torch is imported when that function is called, and the module's class is made then, once (a cached ``_class()``): names and
arguments of all networks are known where torch is not installed. :mod:`~HTSegmentationLib.networks.base` says what every
network has in common; :mod:`~HTSegmentationLib.networks.registry` builds one by its name.
"""
