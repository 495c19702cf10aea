package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheLimitOfTheControlGroupIsFound(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"a service of systemd": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/kangma.service\n", "sys/fs/cgroup/system.slice/kangma.service/memory.max": "536870912\n",
			"sys/fs/cgroup/system.slice/memory.max": "max\n",
		}, 512 << 20},
		"the folder above allows less": {map[string]string{
			"proc/self/cgroup": "0::/pods/one\n", "sys/fs/cgroup/pods/one/memory.max": "1000000000", "sys/fs/cgroup/pods/memory.max": "900000000",
		}, 900_000_000},
		"a container that sees its own folder as the top": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "700000000\n",
		}, 700_000_000},
		"version 1, in a folder that is not to be seen from inside": {map[string]string{
			"proc/self/cgroup": "9:cpu:/docker/ab\n4:memory:/docker/ab\n0::/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "600000000\n",
		}, 600_000_000},
		"version 1, where that means any": {map[string]string{
			"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 0},
		"none":     {map[string]string{"proc/self/cgroup": "0::/user.slice\n", "sys/fs/cgroup/user.slice/memory.max": "max\n"}, 0},
		"nonsense": {map[string]string{"proc/self/cgroup": "::\nmemory\n0::/a\n", "sys/fs/cgroup/a/memory.max": "many\n"}, 0},
		"no file":  {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for path, text := range tc.files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if n := cgroupLimit(root); n != tc.want {
				t.Errorf("%d, want %d", n, tc.want)
			}
		})
	}
}

func TestLittleMemoryHasSmallParts(t *testing.T) {
	const small, large = 512 << 20, 32 << 30
	if n := pageCache(small) * 10; n > small/10 {
		t.Errorf("ten connections of SQLite keep %d bytes of %d", n, small)
	}
	if n := pageCache(large); n != 32<<20 {
		t.Errorf("on a large machine each keeps %d", n)
	}
	if n := pageCache(0); n != 0 {
		t.Errorf("where the memory is not known: %d, want the store's own", n)
	}
	if p := gcPercent(100<<20, small); p > 150 {
		t.Errorf("%d %% of garbage beside 100 MiB in %d", p, small)
	}
	if p := gcPercent(100<<20, large); p != gcMost {
		t.Errorf("%d %% on a large machine", p)
	}
	if p := gcPercent(1<<30, large); p != 50 {
		t.Errorf("%d %% beside the GiB of a million people, want half as much again", p)
	}
	if o := cacheOptions(100); o.Bytes != 100<<20 || o.Entries < 100<<10 {
		t.Errorf("%+v for 100 MiB", o)
	}
}
