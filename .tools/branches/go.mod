module trueup/tools/branches

go 1.26.0
