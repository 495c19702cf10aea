package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// cgroupLimit is the memory that the control groups of this process allow, 0: any. A service of systemd or a pod has its limit
// in a folder of its own, named by proc/self/cgroup (cgroups(7)), and may have another one above it; inside a container the
// folder that is named may not be there, and its limit is at the top. root is "/" but for tests.
func cgroupLimit(root string) int64 {
	raw, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	least := int64(0)
	for line := range strings.Lines(string(raw)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3) // number, controllers, path
		if len(f) != 3 {
			continue
		}
		top, file := filepath.Join(root, "sys/fs/cgroup"), "memory.max" // version 2 has no names of controllers
		if f[1] != "" {
			if !slices.Contains(strings.Split(f[1], ","), "memory") {
				continue
			}
			top, file = filepath.Join(top, "memory"), "memory.limit_in_bytes"
		}
		for at := filepath.Clean("/" + f[2]); ; at = filepath.Dir(at) {
			if n := readLimit(filepath.Join(top, at, file)); n > 0 && (least == 0 || n < least) {
				least = n
			}
			if at == "/" {
				break
			}
		}
	}
	return least
}

// readLimit reads a number of bytes; 0: there is none, or it means "any".
func readLimit(path string) int64 {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil || n < 0 || n >= 1<<50 {
		return 0
	}
	return n
}
