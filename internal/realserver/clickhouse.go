package realserver

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ClickHouse is one running clickhouse-server with two users: one that may do everything, and an analyst that may only
// read, within limits.
type ClickHouse struct {
	*Process
	Addr            string // native protocol, host:port
	HTTP            string // http://host:port
	Dir             string
	User            string
	Password        string
	Analyst         string // user name
	AnalystPassword string
}

// ClickHouseCluster is two shards of one replica each that know each other as cluster "kangma".
type ClickHouseCluster struct {
	Name   string
	Shards []*ClickHouse
}

type clickhousePorts struct{ tcp, http, interserver int }

func pickPorts(tb testing.TB) clickhousePorts {
	return clickhousePorts{freePort(tb), freePort(tb), freePort(tb)}
}

// StartClickHouse starts one server.
func StartClickHouse(tb testing.TB) *ClickHouse {
	tb.Helper()
	ports := pickPorts(tb)
	return startClickHouse(tb, ports, []clickhousePorts{ports}, rand.Text())
}

// StartClickHouseCluster starts two servers as the shards of one cluster.
func StartClickHouseCluster(tb testing.TB) *ClickHouseCluster {
	tb.Helper()
	c := &ClickHouseCluster{Name: "kangma"}
	password := rand.Text() // the shards log in to each other with it
	ports := []clickhousePorts{pickPorts(tb), pickPorts(tb)}
	for _, p := range ports {
		c.Shards = append(c.Shards, startClickHouse(tb, p, ports, password))
	}
	return c
}

// Addrs gives the shards' native addresses in the cluster's order.
func (c *ClickHouseCluster) Addrs() []string {
	var out []string
	for _, s := range c.Shards {
		out = append(out, s.Addr)
	}
	return out
}

func startClickHouse(tb testing.TB, ports clickhousePorts, shards []clickhousePorts, password string) *ClickHouse {
	tb.Helper()
	return startClickHouseWith(tb, ports, remoteServers(shards, password, false), "", password)
}

// remoteServers is the cluster "kangma" of these servers: each a shard, or all of them replicas of one.
func remoteServers(servers []clickhousePorts, password string, replicas bool) string {
	var shards, all strings.Builder
	for _, s := range servers {
		replica := fmt.Sprintf("<replica><host>127.0.0.1</host><port>%d</port><user>kangma</user><password>%s</password></replica>", s.tcp, password)
		all.WriteString(replica)
		shards.WriteString("<shard><internal_replication>false</internal_replication>" + replica + "</shard>")
	}
	if replicas {
		return "<shard><internal_replication>true</internal_replication>" + all.String() + "</shard>"
	}
	return shards.String()
}

// startClickHouseWith starts a server with the shards of its cluster and more of its configuration.
func startClickHouseWith(tb testing.TB, ports clickhousePorts, cluster, more, password string) *ClickHouse {
	tb.Helper()
	path := find(tb, "clickhouse-server", "clickhouse-server")
	c := &ClickHouse{
		Addr: fmt.Sprintf("127.0.0.1:%d", ports.tcp), HTTP: fmt.Sprintf("http://127.0.0.1:%d", ports.http), Dir: tb.TempDir(),
		User: "kangma", Password: password, Analyst: "analyst", AnalystPassword: rand.Text(),
	}
	config, users := filepath.Join(c.Dir, "config.xml"), filepath.Join(c.Dir, "users.xml")
	for file, text := range map[string]string{config: c.configXML(ports, cluster, more), users: c.usersXML()} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	c.Process = &Process{
		tb: tb, name: "clickhouse-server " + c.Addr, path: path, args: []string{"--config-file=" + config},
		log: filepath.Join(c.Dir, "clickhouse.log"),
		ping: func() error {
			_, err := c.Exec("SELECT 1")
			return err
		},
	}
	c.start()
	return c
}

func (c *ClickHouse) configXML(ports clickhousePorts, cluster, more string) string {
	// The caches are small on purpose: several servers share the test machine.
	return fmt.Sprintf(`<?xml version="1.0"?>
<yandex>
 <logger><level>warning</level><console>1</console></logger>
 <listen_host>127.0.0.1</listen_host>
 <tcp_port>%d</tcp_port><http_port>%d</http_port><interserver_http_port>%d</interserver_http_port>
 <path>%s/data/</path><tmp_path>%s/tmp/</tmp_path><user_files_path>%s/user_files/</user_files_path>
 <users_config>%s/users.xml</users_config>
 <default_profile>default</default_profile><default_database>default</default_database>
 <timezone>UTC</timezone>
 <mark_cache_size>268435456</mark_cache_size><uncompressed_cache_size>0</uncompressed_cache_size>
 <max_concurrent_queries>100</max_concurrent_queries>
 <remote_servers><kangma>%s</kangma></remote_servers>%s
</yandex>
`, ports.tcp, ports.http, ports.interserver, c.Dir, c.Dir, c.Dir, c.Dir, cluster, more)
}

func (c *ClickHouse) usersXML() string {
	const user = `<%s><password>%s</password><networks><ip>127.0.0.1</ip></networks><profile>%s</profile><quota>default</quota></%s>`
	return `<?xml version="1.0"?>
<yandex>
 <profiles>
  <default><max_memory_usage>4000000000</max_memory_usage></default>
  <analyst>
   <readonly>1</readonly><max_execution_time>20</max_execution_time><max_memory_usage>2000000000</max_memory_usage>
   <max_rows_to_read>2000000000</max_rows_to_read><max_result_rows>200000</max_result_rows>
  </analyst>
 </profiles>
 <users>` + fmt.Sprintf(user, c.User, c.Password, "default", c.User) +
		fmt.Sprintf(user, c.Analyst, c.AnalystPassword, "analyst", c.Analyst) + `</users>
 <quotas><default></default></quotas>
</yandex>
`
}

// Exec runs one statement over HTTP and gives the reply as text. It exists to arrange and to inspect, past the client
// under test.
func (c *ClickHouse) Exec(sql string) (string, error) {
	client := http.Client{Timeout: 60 * time.Second}
	req, err := http.NewRequest(http.MethodPost, c.HTTP+"/?"+url.Values{"user": {c.User}, "password": {c.Password}}.Encode(), strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("clickhouse says: %s", strings.TrimSpace(string(body)))
	}
	return strings.TrimSpace(string(body)), err
}

// Must is Exec that fails the test on an error.
func (c *ClickHouse) Must(sql string) string {
	c.tb.Helper()
	out, err := c.Exec(sql)
	if err != nil {
		c.tb.Fatal(err)
	}
	return out
}
