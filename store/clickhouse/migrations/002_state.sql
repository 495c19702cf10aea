-- How far the journal of each node is loaded.
CREATE TABLE IF NOT EXISTS {db}.loaded (
  node String,
  position UInt64
) ENGINE = {replacing loaded position} ORDER BY node
