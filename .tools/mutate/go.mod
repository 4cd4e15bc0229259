module trueup/tools/mutate

go 1.26.0
