package main

import (
	"bufio"
	"bytes"
	"context"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/sethvargo/go-envconfig"

	"trueup/server/store"
)

// stopsWithin is how long a process may take to stop, so a platform must give it more.
const stopsWithin = 20 * time.Second

// composeFile is what compose.yaml may say: a name that isn't here is refused.
type composeFile struct {
	Services map[string]composeService `yaml:"services"`
	Volumes  map[string]*struct{}      `yaml:"volumes"`
}

type composeService struct {
	Image string `yaml:"image"`
	Build *struct {
		Context    string `yaml:"context"`
		Dockerfile string `yaml:"dockerfile"`
	} `yaml:"build"`
	EnvFile     []string          `yaml:"env_file"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	Ports       []string          `yaml:"ports"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	Healthcheck *struct {
		Test     []string `yaml:"test"`
		Interval string   `yaml:"interval"`
		Timeout  string   `yaml:"timeout"`
		Retries  int      `yaml:"retries"`
	} `yaml:"healthcheck"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	SecurityOpt     []string `yaml:"security_opt"`
	Restart         string   `yaml:"restart"`
}

func readDeploy(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "deploy", name))
	must(t, err)
	return string(text)
}

// knownSettings wants every TRUEUP_ variable to be a setting, and all together to be
// taken.
func knownSettings(t *testing.T, env map[string]string) {
	t.Helper()
	for name := range env {
		if strings.HasPrefix(name, "TRUEUP_") && !slices.Contains(settingNames(), name) {
			t.Errorf("%s is no setting", name)
		}
	}
	if _, err := readSettings(t.Context(), envconfig.MapLookuper(env)); err != nil {
		t.Error(err)
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	var f composeFile
	must(t, yaml.NewDecoder(strings.NewReader(readDeploy(t, "compose.yaml")), yaml.DisallowUnknownField()).Decode(&f))
	for name, s := range f.Services {
		for on, d := range s.DependsOn {
			if other, ok := f.Services[on]; !ok || d.Condition == "service_healthy" && other.Healthcheck == nil {
				t.Errorf("%s depends on %s, which isn't there or tells no health", name, on)
			}
		}
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			if _, ok := f.Volumes[volume]; !ok {
				t.Errorf("%s mounts %s, which isn't there", name, volume)
			}
		}
		if (s.Image == "") || s.Restart == "" {
			t.Errorf("%s has no image, or isn't started again", name)
		}
	}
	s, db := f.Services["trueup"], f.Services["db"]
	if s.Build == nil || db.Healthcheck == nil {
		t.Fatal("trueup isn't built here, or the database tells no health")
	}
	if _, err := os.Stat(filepath.Join("../deploy", s.Build.Context, s.Build.Dockerfile)); err != nil {
		t.Error(err)
	}
	if grace, err := time.ParseDuration(s.StopGracePeriod); err != nil || grace <= stopsWithin {
		t.Errorf("it is killed after %s, %v", s.StopGracePeriod, err)
	}
	keys, err := store.NewKeyset()
	must(t, err)
	keyset, err := keys.Text()
	must(t, err)
	dotenv := map[string]string{"POSTGRES_PASSWORD": "hush", "TRUEUP_SECRET_KEYSET": keyset}
	env := map[string]string{}
	for name, value := range s.Environment {
		env[name] = os.Expand(value, func(v string) string {
			v, _, required := strings.Cut(v, ":?")
			if dotenv[v] == "" || !required {
				t.Errorf("%s stands for nothing, or isn't asked for", v)
			}
			return dotenv[v]
		})
	}
	knownSettings(t, env)
	if want := "postgres://" + db.Environment["POSTGRES_USER"] + ":hush@db:5432/" + db.Environment["POSTGRES_DB"] + "?sslmode=disable"; env["TRUEUP_DATABASE_URL"] != want {
		t.Errorf("the database is at %s, want %s", env["TRUEUP_DATABASE_URL"], want)
	}
	_, port, err := net.SplitHostPort(env["TRUEUP_LISTEN"])
	if must(t, err); !slices.Equal(s.Ports, []string{"127.0.0.1:8080:" + port}) {
		t.Errorf("the ports are %v", s.Ports)
	}
}

// TestUnit reads the systemd unit, and lets systemd verify it where there is one.
func TestUnit(t *testing.T) {
	t.Parallel()
	text := readDeploy(t, "trueup.service")
	values := map[string][]string{}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		switch {
		case line == "", line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		case ok:
			values[section+"."+name] = append(values[section+"."+name], value)
		default:
			t.Errorf("%q is neither section nor setting", line)
		}
	}
	one := func(name string) string {
		t.Helper()
		if len(values[name]) != 1 {
			t.Fatalf("%s stands %d times", name, len(values[name]))
		}
		return values[name][0]
	}
	program, word, _ := strings.Cut(one("Service.ExecStart"), " ")
	if !slices.ContainsFunc(commands(), func(k command) bool { return k.name == word }) {
		t.Errorf("there is no command %q", word)
	}
	if stop, err := time.ParseDuration(one("Service.TimeoutStopSec")); err != nil || stop <= 2*stopsWithin || one("Service.KillMode") != "mixed" {
		t.Errorf("it is stopped within %s, %v, by KillMode %s", stop, err, one("Service.KillMode"))
	}
	env := map[string]string{}
	for _, v := range values["Service.Environment"] {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	knownSettings(t, env)
	if env["TRUEUP_DATA_DIR"] != "/var/lib/"+one("Service.StateDirectory") || env["TMPDIR"] != "/run/"+one("Service.RuntimeDirectory") {
		t.Errorf("it can't write where it is told to: %v", env)
	}
	verify(t, strings.Replace(text, "ExecStart="+program, "ExecStart="+testProgram(t), 1))
}

// testProgram is the path of a program that is there: the unit's is there once it is
// installed.
func testProgram(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	must(t, err)
	return path
}

func verify(t *testing.T, unit string) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Log("systemd-analyze isn't installed here: the unit is only read")
		return
	}
	file := filepath.Join(t.TempDir(), "trueup.service")
	must(t, os.WriteFile(file, []byte(unit), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "systemd-analyze", "verify", "--man=no", file)
	out, err := cmd.CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("trueup.service:")) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestDockerfile reads the Dockerfile: what it copies is there and is all that the
// program is built from.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	steps := dockerSteps(readDeploy(t, "Dockerfile"))
	var copied, stages []string
	last := map[string]string{} // of the final stage
	for _, s := range steps {
		word, rest, _ := strings.Cut(s, " ")
		switch fields := strings.Fields(rest); word {
		case "FROM":
			stages = append(stages, fields[0])
			clear(last)
		case "COPY":
			if strings.HasPrefix(fields[0], "--from=") {
				continue
			}
			copied = append(copied, fields[:len(fields)-1]...)
		case "WORKDIR", "RUN", "ARG", "USER", "ENV", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD":
			last[word] = rest
		default:
			t.Errorf("%s: what is that?", word)
		}
	}
	want := map[string]string{
		"USER": "65532:65532", "ENV": "TRUEUP_LISTEN=:8080 TRUEUP_METRICS_LISTEN=:9090 TRUEUP_DATA_DIR=/data", "EXPOSE": "8080 9090", "STOPSIGNAL": "SIGTERM",
		"ENTRYPOINT": `["/trueup"]`, "CMD": `["serve"]`,
	}
	if d := cmp.Diff(want, last); d != "" {
		t.Errorf("the image (-want +got):\n%s", d)
	}
	env := map[string]string{}
	for v := range strings.FieldsSeq(last["ENV"]) {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	knownSettings(t, env)
	mod, err := os.ReadFile("../go.mod")
	must(t, err)
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod)
	if len(stages) != 3 || version == nil || stages[1] != "golang:"+string(version[1]) {
		t.Errorf("it is built by %v, want by the Go of go.mod", stages)
	}
	for _, c := range copied {
		if _, err := os.Stat(filepath.Join("..", c)); err != nil {
			t.Errorf("it copies what isn't there: %v", err)
		}
	}
	allowed := dockerAllowed(readDeploy(t, "Dockerfile.dockerignore"))
	for dir := range packagesOfProgram(t) {
		top, _, _ := strings.Cut(dir, "/")
		if !slices.Contains(copied, top+"/") || !slices.Contains(allowed, top) {
			t.Errorf("the program has %s in it, which isn't copied", dir)
		}
	}
}

// dockerSteps are the instructions, each in one line.
func dockerSteps(text string) []string {
	var steps []string
	more := ""
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		part, goesOn := strings.CutSuffix(line, `\`)
		more += strings.TrimSpace(part)
		if goesOn {
			more += " "
			continue
		}
		steps = append(steps, more)
		more = ""
	}
	return steps
}

// dockerAllowed are the exceptions of a file that ignores everything else.
func dockerAllowed(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			out = append(out, name)
		}
	}
	return out
}

// packagesOfProgram are the directories of the module that the program is built from.
func packagesOfProgram(t *testing.T) map[string]bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}", ".").Output()
	must(t, err)
	dirs := map[string]bool{}
	for name := range strings.FieldsSeq(string(out)) {
		dirs[strings.TrimPrefix(name, "trueup/")] = true
	}
	if len(dirs) < 5 {
		t.Fatalf("the program is built from %s", strconv.Quote(strings.Join(slices.Sorted(maps.Keys(dirs)), " ")))
	}
	return dirs
}
