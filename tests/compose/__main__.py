from . import write_expected

write_expected()
