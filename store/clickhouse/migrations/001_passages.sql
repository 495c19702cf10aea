-- Passages. The day is the UTC date of the passage as yyyymmdd; at is in microseconds since 1970. Copies of a passage
-- have the same day and id.
CREATE TABLE IF NOT EXISTS {db}.passages (
  day UInt32,
  id FixedString(16),
  at Int64,
  gate String,
  gate_kind String,
  district UInt32,
  operator String,
  person FixedString(16),
  told UInt8,
  colour UInt8,
  decision UInt8,
  reason String,
  verified String,
  direction String,
  temperature Int32,
  vehicle String,
  rules String,
  flags Array(String),
  node String,
  position UInt64
) ENGINE = {replacing passages} PARTITION BY day ORDER BY id{settings}
