"""Units: the one place where a feed's units become the product's.

Factors are exact by definition: the international foot (0.3048 m, 1959), the international
nautical mile (1,852 m, 1929), ICAO Annex 5.
"""

from __future__ import annotations

M_PER_FT = 0.3048
M_PER_NM = 1852.0
KT_PER_MPS = 3600.0 / M_PER_NM
FT_PER_M = 1.0 / M_PER_FT
FPM_PER_MPS = 60.0 / M_PER_FT
KT_PER_KMH = 1000.0 / M_PER_NM
KT_PER_MPH = 1609.344 / M_PER_NM
FT_PER_FL = 100.0
US_PER_S = 1_000_000
