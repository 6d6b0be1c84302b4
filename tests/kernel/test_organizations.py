"""The tree of unions keeps its own paths."""


def test_everybody_in_the_cast_has_the_place_the_name_promises(cast):
    tree = cast.tree
    assert len(tree.counties) == 12
    assert tree.city.contains(tree.other_union)
    assert tree.county.contains(tree.union)
    assert not tree.other_county.contains(tree.union)
    assert cast.lin_person.organization == tree.union
    assert "wei" not in cast.staff
