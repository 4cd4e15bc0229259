package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// InstallConfig is what NewInstaller needs: a Manage, how it is called, and which
// addresses of ours its parts shall hold.
type InstallConfig struct {
	// Base is the address of the REST API with its codebase, such as
	// https://api-na.myconnectwise.net/v2025_1/apis/3.0.
	Base string
	// HTTP makes the calls. It must not follow redirects.
	HTTP *http.Client
	// Sign puts the credentials of the API member on a request.
	Sign func(*http.Request)
	// ClientID is written on screens, where Manage wants one; "" leaves it out.
	ClientID string
	// Public is our exact origin, such as https://trueup.example.
	Public string
	// Key is the workspace's random selector in the addresses, Secret the last part of the
	// path of callbacks: letters and digits, at least 16 and 32.
	Key, Secret string
	// Known are the parts that were made before, in this same Manage, by their ids.
	Known []Part
}

// Installer makes, repairs and removes the parts of one workspace in its Manage. It is for
// one use at a time: two at once would make everything twice.
type Installer struct {
	cfg    InstallConfig
	wanted Manifest
	secret *regexp.Regexp // finds it, however it is written
}

// The longest that Manage takes (ConnectWiseHostedSetup: url, origin).
const (
	maxAddress = 1024
	maxOrigin  = 100
)

// NewInstaller checks the config; nothing is called yet.
func NewInstaller(cfg InstallConfig) (*Installer, error) {
	cfg.Base, cfg.Public = strings.TrimSuffix(cfg.Base, "/"), strings.TrimSuffix(cfg.Public, "/")
	if cfg.HTTP == nil || cfg.Sign == nil {
		return nil, errors.New("make the installer: no client, or nobody who signs")
	}
	if base, err := url.Parse(cfg.Base); err != nil || base.Host == "" || base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		return nil, errors.New("make the installer: the address of Manage can't be used")
	}
	if !isOrigin(cfg.Public) {
		return nil, errors.New("make the installer: the public address is no origin such as https://trueup.example")
	}
	if !isWord(cfg.Key, 16) || !isWord(cfg.Secret, 32) {
		return nil, errors.New("make the installer: key or secret is too short, or has other than letters and digits")
	}
	m, err := ReadManifest()
	if err != nil {
		return nil, err
	}
	i := &Installer{cfg: cfg, wanted: m, secret: regexp.MustCompile("(?i)" + cfg.Secret)} // letters and digits
	if len(cfg.Public) > maxOrigin || len(i.screenAddress()) > maxAddress || len(i.callbackAddress()) > maxAddress {
		return nil, errors.New("make the installer: the public address is longer than Manage takes")
	}
	return i, nil
}

// isOrigin takes scheme, host and port, and nothing else.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && text == u.Scheme+"://"+u.Host
}

func isWord(text string, least int) bool {
	return len(text) >= least && len(text) <= 128 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// screenAddress is the address of every screen. Manage puts the record and the name of its
// screen in the place of the tokens; nothing in it is a secret.
func (i *Installer) screenAddress() string {
	return i.cfg.Public + "/embed/" + i.cfg.Key + "?id=[cw_id]&screen=[cw_screen]"
}

// callbackAddress is the address of every callback, with the secret; Manage appends the
// record's id.
func (i *Installer) callbackAddress() string {
	return i.cfg.Public + "/callbacks/" + i.cfg.Key + "/" + i.cfg.Secret + "?recordId="
}

// Install makes what is wanted and not there, repairs what was edited or disabled, and
// leaves what stands as it should: running it twice changes nothing. What Manage refuses is
// in the report, part by part, and keeps none of the others from being made.
//
// The error means that Manage doesn't answer or doesn't take the keys; then the report has
// what was done before. What a lost answer left half done is found by the next Install.
func (i *Installer) Install(ctx context.Context) (Report, error) {
	return i.each(ctx, i.placeScreens, i.placeCallbacks)
}

// Check is the look of every night. It repairs callbacks, which Manage disables by itself
// after bad days, and only says what became of screens: those a person disables or deletes.
func (i *Installer) Check(ctx context.Context) (Report, error) {
	return i.each(ctx, i.lookAtScreens, i.placeCallbacks)
}

// Uninstall removes what was made: the parts whose ids are known and that still have a sign
// of ours, and those that hold our key. Rows of others stay, also those that were ours and
// hold nothing of us any more.
func (i *Installer) Uninstall(ctx context.Context) (Report, error) {
	return i.each(ctx, i.removeScreens, i.removeCallbacks)
}

// each runs the steps until one says that going on is of no use.
func (i *Installer) each(ctx context.Context, steps ...func(context.Context, *Report) error) (Report, error) {
	r := Report{Parts: []Part{}, Offered: []string{}, Lacking: []Permission{}, ByHand: []ByHand{}}
	for _, step := range steps {
		if err := step(ctx, &r); err != nil {
			i.keepUnseen(&r)
			r.sayByHand(i.wanted)
			return r, err
		}
	}
	r.sayByHand(i.wanted)
	return r, nil
}

// keepUnseen takes over the known parts that a report which broke off has no word of, so
// that their ids aren't lost.
func (i *Installer) keepUnseen(r *Report) {
	for _, k := range i.cfg.Known {
		if !slices.ContainsFunc(r.Parts, func(p Part) bool { return p.Kind == k.Kind && p.Name == k.Name }) {
			r.Parts = append(r.Parts, Part{Kind: k.Kind, Name: k.Name, Title: i.title(k.Kind, k.Name), ID: k.ID, State: Unseen})
		}
	}
}

// title is what people call a part; one that is wanted no more has its name.
func (i *Installer) title(kind Kind, name string) string {
	for _, w := range i.wanted.Screens {
		if kind == ScreenKind && w.Name == name {
			return w.Title
		}
	}
	for _, w := range i.wanted.Callbacks {
		if kind == CallbackKind && w.Name == name {
			return w.Title
		}
	}
	return name
}

// known is the id that a part had.
func (i *Installer) known(kind Kind, name string) int {
	for _, k := range i.cfg.Known {
		if k.Kind == kind && k.Name == name {
			return k.ID
		}
	}
	return 0
}

// goesOn says that a call's error is about this call, and notes it at the parts. Others are
// about all calls.
func (i *Installer) goesOn(r *Report, err error, parts ...*Part) error {
	var c *CallError
	if !errors.As(err, &c) || c.Status == 0 || c.Status == http.StatusUnauthorized {
		return err
	}
	f := c.fault()
	for _, p := range parts {
		p.State, p.Fault = Failed, &f
	}
	if c.Status == http.StatusForbidden {
		r.lack(permissionOf(c.Method, c.Route))
	}
	return nil
}

// keepsNot is the fault of a row that stands otherwise after it was written.
func keepsNot(fields []string) *Fault {
	return &Fault{
		Code: "not_kept", Text: "ConnectWise took the change and did not keep it: " + strings.Join(fields, ", ") + ".",
		Action: "Set it by hand in ConnectWise, or remove the row there and install again.",
	}
}

// operation is one change of a PATCH, ConnectWise's form of it: a bare array of these.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// differs is one field of a row that isn't as it should be.
type differs struct {
	field string // for people
	path  string // on the wire
	value any
}

func operations(all []differs) []operation {
	out := make([]operation, len(all))
	for i, d := range all {
		out[i] = operation{"replace", d.path, d.value}
	}
	return out
}

func fieldsOf(all []differs) []string {
	out := make([]string, len(all))
	for i, d := range all {
		out[i] = d.field
	}
	return out
}

// row is what both kinds of rows are found by.
type row interface {
	key() int
	// ours says whether the row's address holds our key, marked whether anything of it is
	// still as we make it.
	ours(i *Installer) bool
	marked(i *Installer, description string) bool
}

// find finds the row of a part: by the id that it had, as long as something of it is still
// ours, since the id alone may be a row that somebody made into something else; else by our
// key in its address, which a run that was cut may have left, among those that fit.
func find[R row](i *Installer, rows []R, kind Kind, name, description string, fits func(R) bool) (R, bool) {
	var none R
	id := i.known(kind, name)
	for _, r := range rows {
		if id != 0 && r.key() == id && r.marked(i, description) {
			return r, true
		}
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b R) int { return cmp.Compare(a.key(), b.key()) })
	for _, r := range rows {
		if r.ours(i) && fits(r) {
			return r, true
		}
	}
	return none, false
}

// holdsKey says that an address leads to us, for this workspace.
func (i *Installer) holdsKey(address, under string) bool {
	u, err := url.Parse(address)
	if err != nil {
		// Manage's tokens are no address in the strict sense; ours parse, and what a person
		// made of one may not.
		return strings.Contains(address, under+i.cfg.Key)
	}
	return strings.HasPrefix(u.Path+"/", under+i.cfg.Key+"/")
}

// gone says that a row isn't there: somebody was quicker, which is as good.
func gone(err error) bool {
	var c *CallError
	return errors.As(err, &c) && c.Status == http.StatusNotFound
}

// remove deletes a part's row and says how that went.
func (i *Installer) remove(ctx context.Context, r *Report, p *Part, route string) error {
	err := i.call(ctx, http.MethodDelete, route+"/{id}", p.ID, nil, nil)
	if err == nil || gone(err) {
		p.State, p.ID = Removed, 0
		return nil
	}
	return i.goesOn(r, fmt.Errorf("remove %s %s: %w", p.Kind, p.Name, err), p)
}
