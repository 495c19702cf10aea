package ppocr

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/kangma/kangma/ocr/internal/sandbox"
)

// childEnv is set in the environment of a child; its value is the folder of the models.
const childEnv = "KANGMA_PPOCR_CHILD"

// limits of a child: the library maps 46 MB, the models take 16 MB, a picture of 960 pixels about 150 MB while it is read.
var limits = sandbox.Limits{Memory: 700 << 20, CPU: 600}

// ChildMain turns this process into a reading child and never returns, if it was started as one; otherwise it returns at
// once.
func ChildMain() {
	dir := os.Getenv(childEnv)
	if dir == "" {
		return
	}
	if err := sandbox.Confine(limits); err != nil {
		os.Exit(3)
	}
	e, err := open(dir)
	if err != nil {
		os.Exit(5)
	}
	if err := sandbox.Serve(os.Stdin, os.Stdout, e.answer); err != nil {
		os.Exit(4)
	}
	os.Exit(0)
}

// engine holds the two models.
type engine struct {
	rec, det *ort.DynamicAdvancedSession
	keys     []string // class i+1 of the reader; class 0 is the blank of CTC
}

func open(dir string) (*engine, error) {
	ort.SetSharedLibraryPath(filepath.Join(dir, libraryFile))
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return nil, err
	}
	keys, err := readKeys(dir)
	if err != nil {
		return nil, err
	}
	e := &engine{keys: keys}
	if e.rec, err = session(filepath.Join(dir, readerFile), "softmax_11.tmp_0"); err != nil {
		return nil, err
	}
	e.det, err = session(filepath.Join(dir, detectorFile), "sigmoid_0.tmp_0")
	return e, err
}

// readKeys gives the reader's characters by class; the last one is the blank between words.
func readKeys(dir string) ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, keysFile))
	if err != nil {
		return nil, err
	}
	return append(strings.Split(strings.TrimRight(string(raw), "\n"), "\n"), " "), nil
}

// session loads a model for one thread. Without the memory arena and pattern a child gives memory back after each picture.
func session(file, output string) (*ort.DynamicAdvancedSession, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { _ = o.Destroy() }()
	if err := errors.Join(o.SetIntraOpNumThreads(1), o.SetInterOpNumThreads(1), o.SetCpuMemArena(false), o.SetMemPattern(false)); err != nil {
		return nil, err
	}
	return ort.NewDynamicAdvancedSession(file, []string{"x"}, []string{output}, o)
}

// run gives a model's output for one input of the shape 1 x 3 x h x w.
func run(s *ort.DynamicAdvancedSession, h, w int, data []float32) (out []float32, shape []int64, err error) {
	in, err := ort.NewTensor(ort.NewShape(1, 3, int64(h), int64(w)), data)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, in.Destroy()) }()
	outs := []ort.Value{nil}
	if err := s.Run([]ort.Value{in}, outs); err != nil {
		return nil, nil, err
	}
	t, ok := outs[0].(*ort.Tensor[float32])
	if !ok {
		return nil, nil, errors.Join(errors.New("the model's answer is not float32"), outs[0].Destroy())
	}
	out = append(out, t.GetData()...)
	shape = append(shape, t.GetShape()...)
	return out, shape, t.Destroy()
}

// answer serves one request.
func (e *engine) answer(msg []byte) []byte {
	rp, err := e.serve(msg)
	if err != nil {
		rp = reply{Err: err.Error()}
	}
	b, err := json.Marshal(rp)
	if err != nil {
		return []byte(`{"err":"the answer cannot be written"}`)
	}
	return b
}

func (e *engine) serve(msg []byte) (reply, error) {
	if len(msg) < headerSize {
		return reply{}, errors.New("short request")
	}
	w, h := int(binary.BigEndian.Uint32(msg[1:])), int(binary.BigEndian.Uint32(msg[5:]))
	pix := msg[headerSize:]
	if w <= 0 || h <= 0 || w > maxPixels || h > maxPixels || w*h > maxPixels {
		return reply{}, errors.New("picture out of bounds")
	}
	switch {
	case msg[0] == readLine && len(pix) == w*h:
		return e.read(pix, w, h)
	case msg[0] == findLines && len(pix) == 3*w*h:
		return e.find(pix, w, h)
	}
	return reply{}, errors.New("unknown request")
}
