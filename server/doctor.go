package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/microsoft"
	"trueup/server/store"
	"trueup/server/upstream"
)

// doctor checks everything that Trueup needs and prints what is missing. Each check
// stands alone: one that fails hides only those that can't be made without it.
func doctor(ctx context.Context, c *call) (int, error) {
	if _, err := c.parse("doctor", func(*flag.FlagSet, *options) {}); err != nil {
		return exitUsage, err
	}
	d := &checkup{out: c.out}
	s, err := readSettings(ctx, c.env)
	if err != nil {
		if wrong, ok := errors.AsType[*settingsError](err); ok {
			for line := range strings.SplitSeq(wrong.faults.Error(), "\n") {
				d.bad("settings", strings.TrimSpace(line), "")
			}
			return d.end()
		}
		return 0, err
	}
	d.good("settings", "all of them can be used")
	d.settings(s)
	p, err := open(ctx, c.env)
	if err != nil {
		d.bad("database", err.Error(), "")
		return d.end()
	}
	defer p.Close() //nolint:errcheck // nothing was written
	d.p = p
	d.database(ctx)
	d.workspaces(ctx)
	return d.end()
}

// checkup prints checks and remembers whether one failed.
type checkup struct {
	out    io.Writer
	p      *product
	broken int
}

func (d *checkup) good(what, text string) { fmt.Fprintf(d.out, "✓ %-22s %s\n", what, text) }

func (d *checkup) note(what, text string) { fmt.Fprintf(d.out, "! %-22s %s\n", what, text) }

func (d *checkup) bad(what, text, action string) {
	d.broken++
	fmt.Fprintf(d.out, "✗ %-22s %s\n", what, text)
	if action != "" {
		fmt.Fprintf(d.out, "  %-22s %s\n", "", action)
	}
}

func (d *checkup) end() (int, error) {
	if d.broken == 0 {
		fmt.Fprintln(d.out, "\nNothing is missing.")
		return exitDone, nil
	}
	fmt.Fprintf(d.out, "\n%d of the checks failed.\n", d.broken)
	return exitFailed, nil
}

// lowDisk is from where on the disk of the data directory is too full to go on well.
const lowDisk = 1 << 30

// settings checks what settings lead to on this machine.
func (d *checkup) settings(s Settings) {
	if s.AllowPrivate {
		d.note("address guard", "is off (TRUEUP_ALLOW_PRIVATE_UPSTREAMS): typed hosts may lead to private addresses")
	}
	if s.TestClock {
		d.note("test clock", "is on (TRUEUP_TEST_CLOCK): only simulations should have it")
	}
	dir, err := filepath.Abs(s.DataDir)
	if err != nil {
		d.bad("data directory", err.Error(), "")
		return
	}
	free, err := freeSpace(dir)
	switch {
	case err != nil:
		d.note("disk", "free space of "+dir+" isn't known: "+err.Error())
	case free < lowDisk:
		d.bad("disk", fmt.Sprintf("%s has %d MB left", dir, free>>20), "Make room, or move TRUEUP_DATA_DIR.")
	default:
		d.good("disk", fmt.Sprintf("%s has %d GB left", dir, free>>30))
	}
}

// database checks schema, keyset and the clock against the database's.
func (d *checkup) database(ctx context.Context) {
	what := "TRUEUP_DATABASE_URL"
	if d.p.Settings.DatabaseURL == "" {
		what = "the embedded PostgreSQL under " + d.p.Settings.DataDir
	}
	d.good("database", what+" answers")
	is, want, err := store.SchemaVersion(ctx, d.p.url)
	switch {
	case err != nil:
		d.bad("schema", err.Error(), "")
	case is != want:
		d.bad("schema", fmt.Sprintf("is at version %d, this program wants %d", is, want), "Run `trueup migrate`, or the newer program.")
	default:
		d.good("schema", fmt.Sprintf("version %d", is))
	}
	var at time.Time
	err = d.p.store.InTx(ctx, func(tx *store.Tx) (err error) {
		at, err = tx.Now(ctx)
		return err
	})
	if err == nil {
		d.clock("clock of the database", at)
	}
}

// maxSkew is how far clocks may be apart: sign-in at Microsoft takes five minutes.
const maxSkew = 2 * time.Minute

func (d *checkup) clock(what string, at time.Time) {
	skew := at.Sub(d.p.now()).Round(time.Second)
	if math.Abs(float64(skew)) > float64(maxSkew) {
		d.bad(what, fmt.Sprintf("is %s apart from this machine's", skew.Abs()), "Set the machine's clock by a time server.")
		return
	}
	d.good(what, "agrees with this machine's")
}

// workspaces checks each workspace's connections.
func (d *checkup) workspaces(ctx context.Context) {
	all, err := d.p.store.Workspaces(ctx)
	if err != nil {
		d.bad("workspaces", err.Error(), "")
		return
	}
	if len(all) == 0 {
		d.note("workspace", errNothingStored.Error())
	}
	for _, w := range all {
		mode := "live"
		if w.Observe {
			mode = "observes only"
		}
		if _, err := time.LoadLocation(w.Zone); err != nil {
			d.bad("workspace", fmt.Sprintf("%s: the time zone %q isn't known here", plain(w.Name), w.Zone), "Correct timeZone in the workspace file.")
		} else {
			d.good("workspace", fmt.Sprintf("%s, %s, %s", plain(w.Name), w.Zone, mode))
		}
		connections, err := d.p.store.In(w.ID).Connections(ctx)
		if err != nil {
			d.bad("connections", err.Error(), "")
			continue
		}
		d.secrets(ctx, w.ID, connections)
		d.manage(ctx, w.ID)
		d.installation(ctx, w.ID)
		for _, k := range connections {
			if k.Kind != store.Manage {
				d.microsoft(ctx, w.ID, k)
			}
		}
	}
}

// secrets opens every secret with the keyset.
func (d *checkup) secrets(ctx context.Context, w billing.WorkspaceID, connections []store.Connection) {
	n := 0
	for _, k := range connections {
		for _, name := range k.Has {
			if _, err := d.p.store.In(w).Secret(ctx, k.ID, name); err != nil {
				d.bad("keyset", fmt.Sprintf("the %s of %s doesn't open", strings.ReplaceAll(string(name), "_", " "), plain(k.Name)),
					"Give the keyset that sealed it (TRUEUP_SECRET_KEYSET, or keyset.json in the data directory), or save the connection again.")
				continue
			}
			n++
		}
	}
	d.good("keyset", fmt.Sprintf("opens %d secrets", n))
}

// manage tests the connection to ConnectWise and names the permissions.
func (d *checkup) manage(ctx context.Context, w billing.WorkspaceID) {
	m, err := d.p.rooms.manage(ctx, w)
	if err != nil {
		d.failed("ConnectWise Manage", err)
		return
	}
	about, err := m.Test(upstream.WithOnDemand(ctx))
	if about == nil {
		d.failed("ConnectWise Manage", err)
		return
	}
	d.good("ConnectWise Manage", fmt.Sprintf("version %s, time zone %s", about.Version, about.Zone))
	for _, p := range about.Missing {
		d.bad("permission", string(p)+" is missing", "Add it to the API member's security role (System > Security Roles).")
	}
	notes := []struct {
		text string
		all  []connectwise.Permission
	}{
		{"is missing; only installing needs it", about.Wanting}, {"can't be proved by reading", about.Unproven}, {"is more than Trueup needs", about.Excess},
	}
	for _, n := range notes {
		for _, p := range n.all {
			d.note("permission", string(p)+" "+n.text)
		}
	}
}

// failed prints an error in its own words where it has some.
func (d *checkup) failed(what string, err error) {
	var words interface {
		Text() string
		Action() string
	}
	if errors.As(err, &words) {
		d.bad(what, words.Text(), words.Action())
		return
	}
	d.bad(what, err.Error(), "")
}

// microsoft tests a connection in its own tenant, and keeps how it was.
func (d *checkup) microsoft(ctx context.Context, w billing.WorkspaceID, k store.Connection) {
	what := "Microsoft"
	cred, err := d.p.rooms.credential(ctx, w, k.ID)
	if err != nil {
		d.bad(what, plain(k.Name)+": its secrets don't open", "")
		return
	}
	about, err := d.p.rooms.microsoft.Test(ctx, cred)
	if err != nil {
		f := microsoft.FaultOf(err)
		d.bad(what, fmt.Sprintf("%s: %s (%s)", plain(k.Name), f.Text, f.Reason), f.Action)
		d.p.rooms.noteHealth(ctx, w, k.ID, f)
		return
	}
	d.p.rooms.noteHealth(ctx, w, k.ID, nil)
	if len(about.Missing) > 0 {
		d.bad(what, fmt.Sprintf("%s: the app lacks %s", plain(k.Name), strings.Join(about.Missing, " and ")),
			"Add it to the app registration, then have the tenant's administrator consent again.")
		return
	}
	d.good(what, fmt.Sprintf("%s signs in to %s", plain(k.Name), plain(about.Organization.Name)))
	if at := about.CertificateExpires; !at.IsZero() && at.Before(d.p.now().AddDate(0, 0, 30)) {
		d.note(what, fmt.Sprintf("%s: the certificate ends on %s", plain(k.Name), at.Format(time.DateOnly)))
	}
	if f := about.PartnerCenter; f != nil {
		d.note("Partner Center", plain(k.Name)+": "+f.Text)
	}
}

// skus reads Microsoft's published table of product names into the store.
func skus(ctx context.Context, c *call) (int, error) {
	if len(c.args) == 0 || c.args[0] != "refresh" {
		return exitUsage, &wrongUse{"skus takes refresh"}
	}
	c.args = c.args[1:]
	o, err := c.parse("skus refresh", func(f *flag.FlagSet, o *options) {
		f.StringVar(&o.file, "f", publishedSKUs, "a file, or an https address")
	})
	if err != nil {
		return exitUsage, err
	}
	p, err := open(ctx, c.env)
	if err != nil {
		return 0, err
	}
	defer p.Close() //nolint:errcheck // the names were committed
	from, err := p.openTable(ctx, c, o.file)
	if err != nil {
		return 0, err
	}
	defer from.Close() //nolint:errcheck // it was only read
	table, err := microsoft.ReadSKUTable(from)
	if err != nil {
		return 0, err
	}
	products := table.Products()
	names := make([]store.SKUName, len(products))
	for i, k := range products {
		names[i] = store.SKUName{SKU: k.SKU, PartNumber: k.Part, Name: k.Name}
	}
	if err := p.store.SaveSKUNames(ctx, names); err != nil {
		return 0, err
	}
	known := microsoft.BuiltInSKUs().Products()
	fresh := slices.DeleteFunc(products, func(k microsoft.Product) bool {
		_, found := slices.BinarySearchFunc(known, k.SKU, func(a microsoft.Product, id billing.SKUID) int { return strings.Compare(string(a.SKU), string(id)) })
		return found
	})
	fmt.Fprintf(c.out, "%d names are kept, %d of them beyond the built-in table.\n", len(names), len(fresh))
	return exitDone, nil
}

// publishedSKUs is where Microsoft publishes "Product names and service plan
// identifiers for licensing" as CSV (Entra documentation, licensing reference).
const publishedSKUs = "https://download.microsoft.com/download/e/3/e/e3e9faf2-f28b-490a-9ada-c6089a1fc5b0/Product%20names%20and%20service%20plan%20identifiers%20for%20licensing.csv"

// openTable opens a file, or an address through the one outgoing client.
func (p *product) openTable(ctx context.Context, c *call, from string) (io.ReadCloser, error) {
	if !strings.HasPrefix(from, "https://") && !strings.HasPrefix(from, "http://") {
		return c.openFile(from)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, &wrongUse{"-f takes a file or an https address"}
	}
	resp, err := p.upstream.HTTP(upstream.Target{Name: "microsoft_downloads", Typed: true}).Do(req)
	if err != nil {
		return nil, fmt.Errorf("read Microsoft's table of names: %w", upstream.Cause(err))
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("read Microsoft's table of names: the address answers %d", resp.StatusCode), resp.Body.Close())
	}
	return resp.Body, nil
}
