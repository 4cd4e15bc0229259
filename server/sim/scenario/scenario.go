package scenario

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/invoice"
	"trueup/server/sim/microsoftsim"
)

// Scenario is a world and what happens in it. It is made by Load and doesn't change.
type Scenario struct {
	about     string
	env       map[string]string
	skus      map[string]sku
	manage    manage
	microsoft tenants
	events    []event // by day, then as written
}

// sku is a part number's id.
type sku struct {
	id, appliesTo string
}

// About is the scenario's comment.
func (s *Scenario) About() string { return s.about }

// Environment is what the placeholders of the workspace file stand for, but for the addresses of the simulators. The caller may change it.
func (s *Scenario) Environment() map[string]string { return maps.Clone(s.env) }

// FirstDay is the day on which the simulators start.
func (s *Scenario) FirstDay() microsoftsim.Day { return s.manage.today }

// LastDay is the last day on which something is written to happen; FirstDay when nothing is.
func (s *Scenario) LastDay() microsoftsim.Day {
	last := s.manage.today
	for _, e := range s.events {
		last = max(last, e.day)
	}
	return last
}

// LoadFile loads a scenario out of a file system.
func LoadFile(fsys fs.FS, name string) (*Scenario, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("load scenario: %w", err)
	}
	s, err := Load(data)
	if err != nil {
		return nil, fmt.Errorf("load scenario %s:\n%w", name, err)
	}
	return s, nil
}

// Load reads a scenario. Its error joins an *Error for every fault of the file, in the order of lines.
func Load(data []byte) (*Scenario, error) {
	r := &reader{scenario: &Scenario{env: map[string]string{}, skus: map[string]sku{}}, subscriptions: map[license]string{}}
	archive := txtar.Parse(data)
	r.scenario.about = strings.TrimSpace(string(archive.Comment))
	sections := map[string]func(*statement){"env": r.readEnv, "skus": r.readSKU, "manage": r.readManage, "microsoft": r.readMicrosoft, "days": r.readDay}
	order := []string{"env", "skus", "manage", "microsoft", "days"}
	line, last := strings.Count(string(archive.Comment), "\n")+1, -1
	for _, file := range archive.Files {
		at := slices.Index(order, file.Name)
		switch {
		case at < 0:
			r.fault(line, "a scenario has no file %q", file.Name)
		case at <= last:
			r.fault(line, "file %s doesn't stand in the order of %s", file.Name, strings.Join(order, ", "))
		default:
			last = at
			r.lines(line+1, string(file.Data), sections[file.Name])
		}
		line += 1 + strings.Count(string(file.Data), "\n")
	}
	r.finish()
	if len(r.faults) > 0 {
		return nil, errors.Join(r.faults...)
	}
	return r.scenario, nil
}

// reader reads the files of a scenario; what the last statements were about decides what the next ones belong to.
type reader struct {
	scenario *Scenario
	faults   []error
	// subscriptions are the ids of what is named so far.
	subscriptions map[license]string

	company   *company
	agreement *agreement
	tenant    *tenant
	sku       *microsoftsim.SKU
}

func (r *reader) fault(line int, format string, args ...any) {
	r.faults = append(r.faults, &Error{line, fmt.Sprintf(format, args...)})
}

func (r *reader) lines(first int, text string, read func(*statement)) {
	for n, raw := range strings.Split(text, "\n") {
		words, options, err := split(raw, r.scenario.env)
		if err != nil {
			r.fault(first+n, "%v", err)
			continue
		}
		if len(words) == 0 {
			if len(options) > 0 {
				r.fault(first+n, "an option stands without a statement")
			}
			continue
		}
		st := &statement{line: first + n, words: words, options: options, asked: map[string]bool{}, faults: &r.faults}
		before := len(r.faults)
		read(st)
		if len(r.faults) == before {
			st.done()
		}
	}
}

func (r *reader) readEnv(st *statement) {
	r.scenario.env[st.words[0]] = st.args(1)[0]
}

func (r *reader) readSKU(st *statement) {
	r.scenario.skus[st.words[0]] = sku{st.args(1)[0], st.oneOf("applies", "User", "Company")}
}

// finish checks what only the whole file shows.
func (r *reader) finish() {
	if r.scenario.manage.today == 0 {
		r.fault(1, "the file manage has no today")
	}
	slices.SortStableFunc(r.scenario.events, func(a, b event) int { return cmp.Compare(a.day, b.day) })
	if len(r.faults) > 0 {
		return
	}
	// What is left is found by doing it: a world that can't be built, or a day that can't be lived, is a fault of its line.
	manage, graph, err := r.scenario.Build()
	if err != nil {
		r.faults = append(r.faults, err)
		return
	}
	defer manage.Close()
	if err := r.scenario.Advance(manage, graph, r.scenario.LastDay()); err != nil {
		r.faults = append(r.faults, err)
	}
}

// Build makes both simulators as they are on the first day, with settings of their own.
func (s *Scenario) Build() (*connectwisesim.Sim, *microsoftsim.Sim, error) {
	return s.BuildWith(connectwisesim.Config{}, microsoftsim.Config{})
}

// BuildWith makes both simulators as they are on the first day. What the scenario says (keys, day, company of Manage) is put over what is given.
func (s *Scenario) BuildWith(cw connectwisesim.Config, ms microsoftsim.Config) (*connectwisesim.Sim, *microsoftsim.Sim, error) {
	manage, err := s.manage.build(cw)
	if err != nil {
		return nil, nil, err
	}
	ms.Day = s.manage.today
	graph, err := s.microsoft.build(ms)
	if err != nil {
		manage.Close()
		return nil, nil, err
	}
	for _, e := range s.events {
		if e.microsoft == nil {
			continue
		}
		if err := e.microsoft(graph, e.day); err != nil {
			manage.Close()
			return nil, nil, &Error{e.line, err.Error()}
		}
	}
	return manage, graph, nil
}

// manageDay is the same day as the ConnectWise simulator counts it.
func manageDay(d microsoftsim.Day) invoice.Day {
	if d == 0 {
		return 0
	}
	return invoice.Date(d.Time().Date())
}

//go:embed testdata/*.txtar testdata/*.yaml
var files embed.FS

// Names are the scenarios that come with the package: first (one customer, one license), cutover (lines that are there already), demo.
func Names() []string { return []string{"first", "cutover", "demo"} }

// Open loads a scenario that comes with the package, and its workspace file. The file's ${CW_SITE} is the address of the ConnectWise simulator;
// its other placeholders are the scenario's Environment.
func Open(name string) (s *Scenario, workspace string, err error) {
	if s, err = LoadFile(files, "testdata/"+name+".txtar"); err != nil {
		return nil, "", err
	}
	file, err := fs.ReadFile(files, "testdata/"+name+"-workspace.yaml")
	if err != nil {
		return nil, "", fmt.Errorf("open scenario %s: %w", name, err)
	}
	return s, string(file), nil
}

// Demo is the demonstration: a provider with some thirty customers that between them have every awkward shape, and a month of changes.
func Demo() (*Scenario, error) {
	s, _, err := Open("demo")
	return s, err
}

// DemoWorkspace is the workspace file of Demo.
func DemoWorkspace() string {
	_, workspace, err := Open("demo")
	if err != nil {
		return "" // it is loaded by a test
	}
	return workspace
}
