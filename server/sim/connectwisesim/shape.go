package connectwisesim

import "strings"

// shape is what the fields parameter leaves of a record: the names wanted, each with what is wanted inside it. nil is everything.
type shape struct {
	inside map[string]*shape // by lower-case name
}

// parseFields reads fields=id,name,company/id.
func parseFields(fields string) *shape {
	if strings.TrimSpace(fields) == "" {
		return nil
	}
	root := &shape{inside: map[string]*shape{}}
	for _, field := range strings.Split(fields, ",") {
		root.want(strings.Split(strings.ToLower(strings.TrimSpace(field)), "/"))
	}
	return root
}

func (sh *shape) want(path []string) {
	name := path[0]
	known, listed := sh.inside[name]
	if len(path) == 1 {
		sh.inside[name] = nil
		return
	}
	if listed && known == nil {
		return
	}
	if known == nil {
		known = &shape{inside: map[string]*shape{}}
		sh.inside[name] = known
	}
	known.want(path[1:])
}

// wants says whether a field is shown, and what of it.
func (sh *shape) wants(name string) (*shape, bool) {
	if sh == nil {
		return nil, true
	}
	inside, listed := sh.inside[strings.ToLower(name)]
	return inside, listed
}

// cut leaves only the wanted attributes of an object, or of each object of a list.
func (sh *shape) cut(v value) value {
	if sh == nil || v.kind != kindObject && v.kind != kindList {
		return v
	}
	out := value{kind: v.kind}
	for _, a := range v.attrs {
		if v.kind == kindList {
			out.attrs = append(out.attrs, attr{value: sh.cut(a.value)})
			continue
		}
		if inside, wanted := sh.wants(a.name); wanted {
			out.attrs = append(out.attrs, attr{a.name, inside.cut(a.value)})
		}
	}
	return out
}

// appendRow writes a record; fields that are null are left out, as ConnectWise does.
func appendRow[T any](s *Sim, t *table[T], row *T, sh *shape, dst []byte) []byte {
	dst = append(dst, '{')
	first := true
	for i := range t.columns {
		col := &t.columns[i]
		inside, wanted := sh.wants(col.name)
		if !wanted {
			continue
		}
		v := inside.cut(col.get(s, row))
		if v.kind == kindNull {
			continue
		}
		dst = appendName(dst, col.name, &first)
		dst = v.append(dst)
	}
	return append(dst, '}')
}
