-- Every shard's passages; only in a cluster. Rows are written to the shards directly, never through this table.
{cluster}CREATE TABLE IF NOT EXISTS {db}.passages_all AS {db}.passages ENGINE = Distributed({cluster_name}, {db}, passages)
