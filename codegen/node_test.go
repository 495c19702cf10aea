package codegen_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A second reader, written apart from this package on WebCrypto and cose-kit, gives the same verdicts and claims.
func TestASecondReaderInJavaScriptAgrees(t *testing.T) {
	dir := filepath.Dir(vectorFile) + "/js"
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "node_modules", "cose-kit"))
	}
	if err != nil {
		t.Skipf("NOT RUN: the second reader needs Node and its packages; make test installs them (%v)", err)
	}
	cmd := exec.Command(node, "verify.mjs")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
