package workspace

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"trueup/server/billing"
)

// Manage is what Resolve asks ConnectWise; each method is called at most twice, with
// everything that the file names.
type Manage interface {
	// Companies are those with one of these identifiers, in whatever case.
	Companies(ctx context.Context, identifiers []string) ([]billing.Company, error)
	// AgreementTypes are all of them.
	AgreementTypes(ctx context.Context) ([]billing.AgreementType, error)
	// Products are those with one of these catalog identifiers.
	Products(ctx context.Context, identifiers []string) ([]billing.Product, error)
	// Agreements are those of one of the companies, of whatever status, and those with
	// one of the ids.
	Agreements(ctx context.Context, companies []billing.CompanyID, ids []billing.AgreementID) ([]billing.Agreement, error)
}

// Microsoft is what Resolve asks Microsoft.
type Microsoft interface {
	// TenantOf is the tenant that has verified a domain. It is called from several
	// goroutines.
	TenantOf(ctx context.Context, domain string) (billing.TenantID, error)
	// Read reads the licenses of tenants, one evidence for each ask, in their order; a
	// tenant that can't be read is evidence with a Fault and not an error.
	Read(ctx context.Context, asks []TenantAsk) ([]billing.Evidence, error)
}

// TenantAsk is a tenant and the connection to read it with.
type TenantAsk struct {
	Connection MicrosoftConnection
	Tenant     billing.TenantID
}

// Sources are where a file's names are looked up.
type Sources struct {
	Manage    Manage    // nil: it can't be asked; that is a fault when anything needs it
	Microsoft Microsoft // nil: as above
	// PartNumbers gives the SKU ids of a part number by Microsoft's published table;
	// it is asked only when a tenant can't be. nil: no table.
	PartNumbers func(part string) []billing.SKUID
	// Told gives the sentences of an adapter's error for a person; nil or not ok: the
	// error's own text is used.
	Told func(error) (code, text, action string, ok bool)
}

// Resolved is what a file means: ids in the place of names, defaults filled in, and
// nothing of what the file doesn't speak of.
type Resolved struct {
	Workspace billing.Workspace
	Types     []billing.AgreementType
	Manage    ManageConnection
	Microsoft []MicrosoftConnection
	Profiles  []Profile
	Rules     []Rule
	// Customers have the tenants and links that the file names.
	Customers []Customer
	// Notices are what a person should know and nothing is refused for.
	Notices []Fault
}

// resolver is one resolution: the file, what is stored, what was looked up.
type resolver struct {
	file    *File
	stored  Config
	sources Sources
	out     *Resolved
	faults  []Fault

	connections []MicrosoftConnection
	manage      manageIndex
	profiles    map[string]*Profile // by lower name; nil for one of the file at fault
	customers   []*customer
	// byCompany and byTenant are the stored customers; added those of the file, by
	// their place in the result.
	byCompany map[billing.CompanyID]*Customer
	byTenant  map[billing.TenantID]*Customer
	added     map[billing.CompanyID]int
	evidence  map[billing.TenantID]billing.Evidence
}

// customer is an entry of the file on its way.
type customer struct {
	part       CustomerPart
	company    billing.Company // ID 0: not found
	tenant     billing.TenantID
	connection *MicrosoftConnection
	stored     *Customer // nil: not stored yet
}

// Resolve finds what the file's names mean in Manage and Microsoft. The error is a
// *Faults, those of Parse among them, or a context's. Names that were resolved before
// keep their ids, so that a second agreement or SKU of a name changes nothing; what was
// accepted before and wouldn't be now is a notice, so that a file can be applied again.
func Resolve(ctx context.Context, file *File, stored Config, sources Sources) (*Resolved, error) {
	manage, connections := file.Connections(stored)
	r := &resolver{
		file: file, stored: stored, sources: sources, connections: connections,
		faults:    slices.Clone(file.faults),
		profiles:  map[string]*Profile{},
		byCompany: map[billing.CompanyID]*Customer{}, byTenant: map[billing.TenantID]*Customer{}, added: map[billing.CompanyID]int{},
		evidence: map[billing.TenantID]billing.Evidence{},
		out:      &Resolved{Workspace: file.workspace(stored.Workspace), Manage: manage},
	}
	for i := range stored.Customers {
		c := &stored.Customers[i]
		r.byCompany[c.Company] = c
		for _, t := range c.Tenants {
			r.byTenant[t.ID] = c
		}
	}
	r.checkConnections()
	r.readManage(ctx)
	r.resolveTypes()
	r.resolveProfiles()
	r.resolveRules()
	r.findCustomers(ctx)
	r.readTenants(ctx)
	r.resolveLinks()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("resolving the workspace file: %w", err)
	}
	if err := faultsOf(r.faults); err != nil {
		return nil, err
	}
	return r.out, nil
}

func (r *resolver) fault(at Place, code, text, action string) {
	r.faults = append(r.faults, faultAt(at, code, text, action))
}

func (r *resolver) notice(at Place, code, text, action string) {
	r.out.Notices = append(r.out.Notices, faultAt(at, code, text, action))
}

// told are an error's sentences: the adapter's own, else its text and what to do in
// general.
func (r *resolver) told(err error, otherwise string) (text, action string) {
	if r.sources.Told != nil {
		if _, text, action, ok := r.sources.Told(err); ok {
			return text, action
		}
	}
	return visible(err.Error()) + ".", otherwise
}

// checkConnections tells what the connections lack once stored secrets are counted.
func (r *resolver) checkConnections() {
	r.checkManage(r.file.Manage, r.out.Manage)
	for _, m := range r.file.Microsoft {
		c := r.connection(m.Name.Value)
		if c == nil || !m.Name.Set {
			continue
		}
		for _, key := range c.Missing() {
			if m.isBad() {
				continue
			}
			at := m.At
			at.Path = join(m.At.Path, key)
			r.fault(at, codeMissingKey, "The key "+key+" is missing for a connection of kind "+c.Kind+", and none is stored.", "Add it.")
		}
		r.out.Microsoft = append(r.out.Microsoft, *c)
	}
}

func (r *resolver) checkManage(m ManagePart, have ManageConnection) {
	if !m.Given {
		return
	}
	for _, need := range []struct {
		key  string
		here bool
	}{
		{"site", have.Site != "" || m.Site.Bad},
		{"company", have.Company != "" || m.Company.Bad},
		{"publicKey", have.PublicKey.IsSet() || m.PublicKey.Bad},
		{"privateKey", have.PrivateKey.IsSet() || m.PrivateKey.Bad},
		{"clientId", have.ClientID.IsSet() || m.ClientID.Bad},
	} {
		if need.here || r.alreadyTold(m.At, need.key) {
			continue
		}
		at := m.At
		at.Path = join(m.At.Path, need.key)
		r.fault(at, codeMissingKey, "The key "+need.key+" is missing, and none is stored.", "Add it.")
	}
}

// alreadyTold says that an unknown key of the mapping was told with the hint that this
// one was meant.
func (r *resolver) alreadyTold(at Place, key string) bool {
	return slices.ContainsFunc(r.faults, func(f Fault) bool {
		return f.Code == codeUnknownKey && strings.HasPrefix(f.Path, at.Path+".") && f.Action == "Did you mean "+key+"?"
	})
}

// connection is one by name, stored or of the file.
func (r *resolver) connection(name string) *MicrosoftConnection {
	for i := range r.connections {
		if lower(r.connections[i].Name) == lower(name) {
			return &r.connections[i]
		}
	}
	return nil
}

// resolveRules takes the rules as they are: a rule is for tenants to come, so that its
// license needn't be anybody's now.
func (r *resolver) resolveRules() {
	for _, p := range r.file.Rules {
		if p.Profile.Set && !r.profileIsThere(p.Profile) {
			continue
		}
		rule := Rule{License: p.License.Value, Profile: p.Profile.Value, DoNotBill: p.DoNotBill.Value}
		if profile := r.profiles[lower(p.Profile.Value)]; profile != nil {
			rule.Profile = profile.Name
		}
		r.out.Rules = append(r.out.Rules, rule)
	}
}

// profileIsThere tells a profile that is neither in the file nor stored.
func (r *resolver) profileIsThere(name Field[string]) bool {
	p, known := r.profiles[lower(name.Value)]
	if known {
		return p != nil // at fault in the file: told there
	}
	var names []string
	for _, p := range r.file.Profiles {
		names = append(names, p.Name.Value)
	}
	for _, p := range r.stored.Profiles {
		names = append(names, p.Name)
	}
	action := "Name one of billingProfiles, or one that is stored."
	if k := nearest(name.Value, names); k != "" {
		action = "Did you mean " + quoted(k) + "?"
	}
	r.fault(name.At, codeNameUnknown, "There is no billing profile "+name.Said+".", action)
	return false
}
