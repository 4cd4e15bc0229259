package plugin

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed manifest.json
var manifest []byte

// Manifest says what is wanted inside a Manage: manifest.json, which the pages read too.
type Manifest struct {
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Screens   []WantedScreen   `json:"screens"`
	Callbacks []WantedCallback `json:"callbacks"`
}

// WantedScreen is a pod or tab on one of Manage's screens.
type WantedScreen struct {
	// Name is ours, the same for ever; Title is for people; Description is what Manage
	// shows in its list, at most 50 characters.
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	// ScreenIDs are Manage's names for the screen, the best first, since no paper lists
	// them; one that ends in * is a beginning. Case, spaces and signs don't count.
	ScreenIDs []string `json:"screenIds"`
	// Instead names the screen that does its work in a Manage that lacks it.
	Instead   string `json:"instead"`
	Type      string `json:"type"`      // Pod or Tab
	PodHeight int    `json:"podHeight"` // pixels
}

// WantedCallback is a subscription to changes.
type WantedCallback struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"` // at most 100 characters
	Type        string `json:"type"`        // agreement, company, in Manage's words
	Level       string `json:"level"`       // owner: all of them
	HandledBy   string `json:"handledBy"`   // the file that receives it
}

// ReadManifest reads manifest.json.
func ReadManifest() (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		return Manifest{}, fmt.Errorf("read manifest.json: %w", err)
	}
	return m, nil
}

// on finds the screen of Manage that is meant; false when this Manage offers none.
func (w WantedScreen) on(offered []offeredScreen) (offeredScreen, bool) {
	for _, id := range w.ScreenIDs {
		beginning, part := strings.CutSuffix(id, "*")
		for _, o := range offered {
			for _, name := range []string{string(o.ScreenID), string(o.Name)} {
				is := lettersOf(name)
				if is != "" && (is == lettersOf(id) || part && strings.HasPrefix(is, lettersOf(beginning))) {
					return o, true
				}
			}
		}
	}
	return offeredScreen{}, false
}

// lettersOf is a name as far as it counts: "Company Detail" and "companyDetail" are one.
func lettersOf(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}
