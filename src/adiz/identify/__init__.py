"""Whether who flew was known, by the rule of the zone: plans, notices, requirements, tallies."""
