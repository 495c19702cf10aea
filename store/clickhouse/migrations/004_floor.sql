-- The first day that is kept.
CREATE TABLE IF NOT EXISTS {db}.floor (
  day UInt32
) ENGINE = {mergetree floor} ORDER BY day
