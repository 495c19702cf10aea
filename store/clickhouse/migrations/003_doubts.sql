-- Days that may hold copies: open 1 marks, open 0 clears what was marked before.
CREATE TABLE IF NOT EXISTS {db}.doubts (
  day UInt32,
  at Int64,
  open UInt8
) ENGINE = {mergetree doubts} ORDER BY (day, at)
