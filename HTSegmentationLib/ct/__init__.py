"""Reading head CT into Hounsfield units on a regular grid."""
