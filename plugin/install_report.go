package plugin

import (
	"net/http"
	"slices"
	"strings"
)

// Report is what an installer found and did. Its JSON is kept, and printed for programs; it
// never holds an address.
type Report struct {
	// Parts are the wanted screens and callbacks, in the manifest's order.
	Parts []Part `json:"parts"`
	// Offered are the screens that this Manage lets others use, by its own names.
	Offered []string `json:"offered"`
	// Lacking are the permissions that were refused.
	Lacking []Permission `json:"lacking"`
	// ByHand is what is left to people.
	ByHand []ByHand `json:"byHand"`
}

// Kind is what a part is.
type Kind string

// The kinds of parts.
const (
	ScreenKind   Kind = "screen"
	CallbackKind Kind = "callback"
)

// State is how a part stands after an installer's run.
type State string

// The states.
const (
	Made     State = "made"
	Found    State = "found"    // as it should be
	Repaired State = "repaired" // Changed says what of it
	Altered  State = "altered"  // Changed says what; left as it is
	Absent   State = "absent"   // this Manage has no such screen
	Removed  State = "removed"  // it isn't there any more
	Failed   State = "failed"   // Fault says why
	Unseen   State = "unseen"   // the run broke off before it
)

// Part is a wanted screen or callback.
type Part struct {
	Kind  Kind   `json:"kind"`
	Name  string `json:"name"` // the manifest's
	Title string `json:"title"`
	ID    int    `json:"id,omitempty"` // in Manage; 0: it isn't there
	State State  `json:"state"`
	// Screen is Manage's name for the screen.
	Screen  string   `json:"screen,omitempty"`
	Changed []string `json:"changed,omitempty"` // what was repaired or altered, in words
	Fault   *Fault   `json:"fault,omitempty"`
}

// Fault is why something failed: what happened and what to do, for a person.
type Fault struct {
	Code   string `json:"code"`
	Text   string `json:"text"`
	Action string `json:"action"`
}

// Permission is a setting of a security role in ConnectWise.
type Permission struct {
	Code string `json:"code"`
	// Setting is how the screen of the role writes it; Also how other versions do.
	Setting string `json:"setting"`
	Also    string `json:"also,omitempty"`
	For     string `json:"for"` // what needs it
}

// ByHand is something that no installer can do.
type ByHand struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Whole says that everything that this Manage can have stands as it should.
func (r Report) Whole() bool {
	return !slices.ContainsFunc(r.Parts, func(p Part) bool { return p.State == Failed || p.State == Unseen || p.State == Altered })
}

// Repaired are the parts of a kind that were made or repaired.
func (r Report) Repaired(k Kind) []Part {
	var out []Part
	for _, p := range r.Parts {
		if p.Kind == k && (p.State == Repaired || p.State == Made) {
			out = append(out, p)
		}
	}
	return out
}

// Left are the parts that are in Manage.
func (r Report) Left() []Part {
	var out []Part
	for _, p := range r.Parts {
		if p.ID != 0 {
			out = append(out, p)
		}
	}
	return out
}

func (r *Report) lack(p Permission) {
	if !slices.Contains(r.Lacking, p) {
		r.Lacking = append(r.Lacking, p)
	}
}

// Permissions are all that installing, looking and removing need of the API member's role.
// The papers write the first group in two ways, and say of callbacks only that they need
// more than other reads; Manage's refusals are told by these.
func Permissions() []Permission {
	var all []Permission
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		all = append(all, permissionOf(method, setupsRoute), permissionOf(method, callbacksRoute))
	}
	return all
}

// permissionOf names what a call that was refused with 403 lacked.
func permissionOf(method, route string) Permission {
	level, does := "Inquire", "to see what is there"
	switch method {
	case http.MethodPost:
		level, does = "Add", "to make what is missing"
	case http.MethodPatch:
		level, does = "Edit", "to repair what was disabled or edited"
	case http.MethodDelete:
		level, does = "Delete", "to uninstall"
	}
	if strings.HasPrefix(route, callbacksRoute) {
		return Permission{
			Code: "callbacks_" + strings.ToLower(level), Setting: "System > Callbacks (API): " + level + " Level All",
			Also: "System > Table Setup: " + level + " Level All", For: does,
		}
	}
	return Permission{
		Code: "hosted_api_" + strings.ToLower(level), Setting: "System > Manage Hosted API: " + level + " Level All",
		Also: "System > Table Setup: " + level + " Level All, with General / Manage Hosted API allowed under customize", For: does,
	}
}

// sayByHand lists what is left to people.
func (r *Report) sayByHand(m Manifest) {
	var shown []string
	for _, p := range r.Parts {
		if p.Kind == ScreenKind && p.ID != 0 {
			shown = append(shown, p.Title)
		}
		if p.State != Absent {
			continue
		}
		for _, w := range m.Screens {
			if w.Name != p.Name || p.Kind != ScreenKind {
				continue
			}
			text := "This ConnectWise offers no " + strings.ToLower(w.Title) + " screen to hosted apps."
			if w.Instead != "" {
				text += " The " + w.Instead + " screen lists the company's agreements instead, and opens each in place."
			}
			r.ByHand = append(r.ByHand, ByHand{"no_" + w.Name + "_screen", text})
		}
	}
	if len(shown) == 0 {
		return
	}
	r.ByHand = append(r.ByHand,
		ByHand{"show_pod", "Each user shows the pod once on each of these pages (" + strings.Join(shown, ", ") + "): the gear of the page, Pod Configuration, move it to Displayed."},
		ByHand{"web_client", "Use the web client: pods don't work in the desktop client."},
	)
}

// fault puts a refused call into words.
func (e *CallError) fault() Fault {
	said := ""
	if e.Message != "" {
		said = " ConnectWise says: " + e.Message
	}
	switch {
	case e.Status/100 == 2:
		return Fault{"answer_unreadable", "ConnectWise's answer can't be read.", "Install again: nothing is made twice. If it stays so, see the log."}
	case e.Status == http.StatusForbidden:
		p := permissionOf(e.Method, e.Route)
		return Fault{"missing_permission", "The API member's security role lacks " + p.Setting + ".", "Set it in ConnectWise (System > Security Roles; other versions write: " + p.Also + "), then install again."}
	case e.Status == http.StatusNotFound:
		return Fault{"not_offered", "This ConnectWise does not have the address " + e.Route + "." + said, "Upgrade ConnectWise, or go without this part."}
	case e.Status == http.StatusTooManyRequests || e.Status >= 500:
		return Fault{"connectwise_busy", "ConnectWise could not do it now." + said, "Install again later."}
	case strings.EqualFold(e.Code, "ObjectExists"):
		return Fault{"object_exists", "ConnectWise has it already." + said, "Install again."}
	}
	return Fault{"refused", "ConnectWise refused it." + said, "Correct what it names, then install again."}
}
