// Package realserver starts real servers for tests: Redis, Redis Cluster and ClickHouse (one server or two shards). Each
// is a child process of the test on random loopback ports with its own configuration in a temporary folder. It never
// touches a system service, kills only what it started, and a child dies with the test even when the test is killed.
// Only tests import it.
package realserver
