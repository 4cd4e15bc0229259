package hostpage

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trueup/server/sim/connectwisesim"
)

// company is a row of the first page.
type company struct {
	ID         int         `json:"id"`
	Name       string      `json:"name"`
	Agreements []agreement `json:"agreements"`
}

type agreement struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

// line is a row of the Additions tab.
type line struct {
	ID        int    `json:"id"`
	Product   string `json:"product"`
	Invoiced  string `json:"invoiced"`
	Quantity  string `json:"quantity"`
	Less      string `json:"less"`
	Price     string `json:"price"`
	Bill      string `json:"bill"`
	Effective string `json:"effective"`
	Cancelled string `json:"cancelled"`
	Serial    string `json:"serial"`
	By        string `json:"by"`
}

// pod is a frame of somebody else on a screen.
type pod struct {
	ID     int    `json:"id"`
	Title  string `json:"title"`
	URL    string `json:"url"`
	Origin string `json:"origin"`
	Height int    `json:"height"`
	As     string `json:"as"` // pod, tab
}

// record is a page of a company or an agreement.
type record struct {
	Screen     string      `json:"screen"` // as [cw_screen] and onLoad name it
	ID         int         `json:"id"`
	Name       string      `json:"name"`
	Company    agreement   `json:"company"` // its id and name
	Facts      [][2]string `json:"facts"`
	Agreements []agreement `json:"agreements,omitempty"`
	Additions  []line      `json:"additions,omitempty"`
	Pods       []pod       `json:"pods"`
}

// screens are the screens of Manage by the name that pods hear, as the beginning of the
// screenId that setups use.
var screens = map[string]string{"agreement": "agreement", "company": "companydetail", "companyfinance": "companyfinance"}

func (p *Page) companies(http.ResponseWriter, *http.Request) (any, error) {
	state := p.cfg.Manage.Export()
	out := []company{}
	for _, c := range state.Companies {
		if !c.Deleted {
			out = append(out, company{c.ID, c.Name, agreementsOf(state, c.ID)})
		}
	}
	slices.SortStableFunc(out, func(a, b company) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return out, nil
}

func agreementsOf(state connectwisesim.State, of int) []agreement {
	out := []agreement{}
	for _, a := range state.Agreements {
		if a.CompanyID == of {
			out = append(out, agreement{a.ID, a.Name, typeName(state, a.TypeID)})
		}
	}
	return out
}

func typeName(state connectwisesim.State, id int) string {
	for _, t := range state.Types {
		if t.ID == id {
			return t.Name
		}
	}
	return ""
}

func (p *Page) record(_ http.ResponseWriter, r *http.Request) (any, error) {
	state, screen, id := p.cfg.Manage.Export(), r.PathValue("screen"), pathID(r)
	var out record
	var found bool
	switch screen {
	case "agreement":
		out, found = agreementRecord(state, id)
	case "company", "companyfinance":
		out, found = companyRecord(state, id)
	}
	if !found {
		return nil, refusal{http.StatusNotFound, "there is no such record"}
	}
	out.Screen, out.Pods = screen, podsOf(state, screen, id)
	return out, nil
}

func agreementRecord(state connectwisesim.State, id int) (record, bool) {
	at := slices.IndexFunc(state.Agreements, func(a connectwisesim.Agreement) bool { return a.ID == id })
	if at < 0 {
		return record{}, false
	}
	a := state.Agreements[at]
	of, _ := companyRecord(state, a.CompanyID)
	out := record{ID: id, Name: a.Name, Company: agreement{ID: of.ID, Name: of.Name}, Additions: []line{}, Facts: [][2]string{
		{"Company", of.Name}, {"Type", typeName(state, a.TypeID)}, {"Starts", a.Start.String()}, {"Bills from", a.BillStart.String()},
		{"Next invoice", a.NextInvoice.String()}, {"Prorates", map[bool]string{true: "Yes", false: "No"}[a.Prorate]},
	}}
	products := map[int]string{}
	for _, product := range state.Products {
		products[product.ID] = product.Identifier
	}
	for _, l := range state.Additions {
		if l.AgreementID != id {
			continue
		}
		row := line{ID: l.ID, Product: products[l.ProductID], Invoiced: l.Invoiced, Quantity: l.Quantity, Less: l.LessIncluded, Price: l.UnitPrice,
			Bill: l.BillCustomer, Effective: l.Effective.String(), Serial: l.SerialNumber, By: l.Stamp.UpdatedBy}
		if l.Cancelled != 0 {
			row.Cancelled = l.Cancelled.String()
		}
		out.Additions = append(out.Additions, row)
	}
	return out, true
}

func companyRecord(state connectwisesim.State, id int) (record, bool) {
	at := slices.IndexFunc(state.Companies, func(c connectwisesim.Company) bool { return c.ID == id })
	if at < 0 {
		return record{}, false
	}
	c := state.Companies[at]
	return record{ID: id, Name: c.Name, Company: agreement{ID: id, Name: c.Name}, Agreements: agreementsOf(state, id), Facts: [][2]string{
		{"Identifier", c.Identifier}, {"Phone", c.Phone}, {"Website", c.Website},
	}}, true
}

// podsOf are the frames of a screen, with the record in their addresses.
func podsOf(state connectwisesim.State, screen string, id int) []pod {
	on := map[int]bool{}
	for _, s := range state.Screens {
		on[s.ID] = strings.HasPrefix(strings.ToLower(s.ScreenID), screens[screen])
	}
	out := []pod{}
	for _, h := range state.Hosted {
		if h.Disabled || !on[h.ScreenID] || h.Type == "ToolbarButton" {
			continue
		}
		height, _ := strconv.Atoi(h.PodHeight) // none: the page's own
		address := strings.NewReplacer("[cw_id]", strconv.Itoa(id), "[cw_screen]", screen).Replace(h.URL)
		out = append(out, pod{h.ID, h.Description, address, h.Origin, height, strings.ToLower(h.Type)})
	}
	return out
}

// editAddition changes a quantity as whoever is signed in, as one does in the grid.
func (p *Page) editAddition(_ http.ResponseWriter, r *http.Request) (any, error) {
	var sent struct {
		Quantity json.Number `json:"quantity"`
	}
	if err := read(r, &sent); err != nil {
		return nil, err
	}
	me, err := p.current(r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, p.cfg.Manage.EditAddition(pathID(r), me.Identifier, func(l *connectwisesim.Addition) { l.Quantity = sent.Quantity.String() })
}
