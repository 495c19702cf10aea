package realserver

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ZooKeeper is one running ZooKeeper server, for ClickHouse's replicated tables.
type ZooKeeper struct {
	*Process
	Addr string
}

// zookeeperJars are the libraries a server needs, by their names in Debian's /usr/share/java.
var zookeeperJars = []string{"zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-simple", "netty-all", "metrics-core", "snappy-java", "jackson-core",
	"jackson-databind", "jackson-annotations", "commons-cli", "commons-io", "jctools-core"}

// StartZooKeeper starts one server. Where CI is set missing Java or libraries fail the test, elsewhere it skips loudly. KANGMA_JARS
// names another folder of the libraries, such as unpacked Debian packages.
func StartZooKeeper(tb testing.TB) *ZooKeeper {
	tb.Helper()
	jars := os.Getenv("KANGMA_JARS")
	if jars == "" {
		jars = "/usr/share/java"
	}
	var path []string
	for _, name := range zookeeperJars {
		jar := filepath.Join(jars, name+".jar")
		if !isFile(jar) {
			missing(tb, jar, "libzookeeper-java, or set KANGMA_JARS")
		}
		path = append(path, jar)
	}
	java := find(tb, "java", "default-jre-headless")
	dir, port := tb.TempDir(), freePort(tb)
	conf := filepath.Join(dir, "zoo.cfg")
	text := fmt.Sprintf("tickTime=1000\ndataDir=%s/data\nclientPort=%d\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n4lw.commands.whitelist=srvr\n", dir, port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	z := &ZooKeeper{Addr: fmt.Sprintf("127.0.0.1:%d", port)}
	z.Process = &Process{
		tb: tb, name: "zookeeper " + z.Addr, path: java, log: filepath.Join(dir, "zookeeper.log"), ping: z.ping,
		args: []string{"-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", strings.Join(path, ":"), "org.apache.zookeeper.server.quorum.QuorumPeerMain", conf},
	}
	z.start()
	return z
}

func (z *ZooKeeper) ping() error {
	conn, err := net.DialTimeout("tcp", z.Addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := conn.Write([]byte("srvr")); err != nil { // "ruok" is answered before the server serves
		return err
	}
	if got, err := io.ReadAll(conn); !bytes.HasPrefix(got, []byte("Zookeeper version")) {
		return fmt.Errorf("says %q: %w", got, err)
	}
	return nil
}

// StartClickHouseReplicas starts two servers that hold copies of one shard, known to each other as cluster "kangma".
func StartClickHouseReplicas(tb testing.TB, z *ZooKeeper) *ClickHouseCluster {
	tb.Helper()
	c := &ClickHouseCluster{Name: "kangma"}
	host, port, _ := strings.Cut(z.Addr, ":")
	// A killed replica comes back when its session has ended: after 30 s, unless said.
	keeper := fmt.Sprintf("<zookeeper><node><host>%s</host><port>%s</port></node><session_timeout_ms>6000</session_timeout_ms></zookeeper><interserver_http_host>127.0.0.1</interserver_http_host>", host, port)
	password := "replicas"
	ports := []clickhousePorts{pickPorts(tb), pickPorts(tb)}
	for i, p := range ports {
		macros := fmt.Sprintf("<macros><shard>1</shard><replica>r%d</replica></macros>", i)
		c.Shards = append(c.Shards, startClickHouseWith(tb, p, remoteServers(ports, password, true), keeper+macros, password))
	}
	return c
}
