package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kangma/kangma/store"
)

// Report says what Redis is and what it promises, for the log at the start and for readiness.
type Report struct {
	Servers    []Server // the masters
	Vanished   []int    // partitions that lost their data: Rebuild is needed
	RolledBack []int    // partitions that lost acknowledged writes: apply the journal again
	Warnings   []string // one sentence each, with the remedy
}

// Server is how one master is set up. A field that Redis would not tell (ACL) is empty and named in a warning.
type Server struct {
	Addr        string
	Version     string
	AppendOnly  string // yes, no
	AppendFsync string // always, everysec, no
	Eviction    string // maxmemory-policy
	MaxMemory   uint64 // bytes; 0: no bound
	Replicas    int
	Memory      uint64 // bytes in use
}

// Check asks every master how it keeps its data and every partition whether it is whole.
func (db *DB) Check(ctx context.Context) (Report, error) {
	var r Report
	missing, writes, err := db.epochs(ctx)
	if err != nil {
		return r, err
	}
	r.Vanished = missing
	for tag := range store.Partitions {
		if floor := db.seen[tag].Load(); writes[tag] < floor {
			db.saw(tag, floor, writes[tag])
		}
		if db.lost[tag].Load() {
			r.RolledBack = append(r.RolledBack, tag)
		}
	}
	err = db.eachServer(ctx, func(tag int) error {
		s, err := db.inspect(ctx, tag)
		if err == nil {
			r.Servers = append(r.Servers, s)
			r.Warnings = append(r.Warnings, s.warnings()...)
		}
		return err
	})
	if len(missing) > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d of %d partitions lost their data: rebuild the state from the snapshot and the journals (kangma rebuild)", len(missing), store.Partitions))
	}
	if len(r.RolledBack) > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d partitions lost acknowledged writes (failover or damaged file): apply the journals again (kangma rebuild)", len(r.RolledBack)))
	}
	return r, err
}

func (db *DB) inspect(ctx context.Context, tag int) (Server, error) {
	client, err := db.server(ctx, tag)
	if err != nil {
		return Server{}, err
	}
	s := Server{Addr: client.Options().Addr}
	info := &call{tag: tag, args: []any{"INFO"}}
	if err := db.do(ctx, time.Second, info); err != nil && info.reply == nil && errorCode(err) == "" && !refused(err) {
		return s, err
	}
	text, _ := info.reply.(string)
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[key] = value
		}
	}
	s.Version, s.Eviction = fields["redis_version"], fields["maxmemory_policy"]
	s.MaxMemory, _ = strconv.ParseUint(fields["maxmemory"], 10, 64)
	s.Memory, _ = strconv.ParseUint(fields["used_memory"], 10, 64)
	s.Replicas, _ = strconv.Atoi(fields["connected_slaves"])
	switch fields["aof_enabled"] {
	case "1":
		s.AppendOnly = "yes"
	case "0":
		s.AppendOnly = "no"
	}
	fsync := &call{tag: tag, args: []any{"CONFIG", "GET", "appendfsync"}}
	if db.do(ctx, 0, fsync) == nil { // an ACL may forbid it: then it is a warning
		s.AppendFsync = configValue(fsync.reply, "appendfsync")
	}
	return s, nil
}

// refused says whether Redis answered but would not (ACL), as opposed to not answering.
func refused(err error) bool { return strings.Contains(err.Error(), "NOPERM") }

func configValue(reply any, key string) string {
	switch r := reply.(type) {
	case map[any]any:
		v, _ := r[key].(string)
		return v
	case []any:
		if len(r) == 2 {
			v, _ := r[1].(string)
			return v
		}
	}
	return ""
}

func (s Server) warnings() (out []string) {
	warn := func(format string, args ...any) {
		out = append(out, "redis "+s.Addr+": "+fmt.Sprintf(format, args...))
	}
	switch s.AppendOnly {
	case "no":
		warn("appendonly is off: a restart loses everything since the last snapshot; set appendonly yes")
	case "":
		warn("the user may not read INFO, so its durability is unknown; allow +info")
	}
	switch s.AppendFsync {
	case "always":
		warn("appendfsync is always: the process ends when the disk is full; set appendfsync everysec (acknowledged events are in the journal anyway)")
	case "no":
		warn("appendfsync is no: a power cut loses up to 30 s; set appendfsync everysec")
	case "":
		warn("the user may not read CONFIG, so appendfsync is unknown; allow +config|get")
	}
	if s.Eviction != "" && s.Eviction != "noeviction" {
		warn("maxmemory-policy is %s: Redis will throw people away when memory is short; set noeviction", s.Eviction)
	}
	if s.MaxMemory == 0 && s.Version != "" {
		warn("maxmemory is not set: when memory runs out the system kills Redis; set it to about 70 %% of the machine")
	}
	return out
}
