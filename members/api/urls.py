"""Addresses of the members app's endpoints, below /api/v1/."""

from django.urls import path

from members.api import cards, offers, register, tills

urlpatterns = [
    path("me", register.Me.as_view(), name="me"),
    path("people", register.PersonList.as_view(), name="person-list"),
    path("people/look-up", register.PersonLookUp.as_view(), name="person-look-up"),
    path("people/<int:person_id>", register.OnePerson.as_view(), name="person"),
    path("cards", cards.CardList.as_view(), name="card-list"),
    path("cards/mine", cards.MyCard.as_view(), name="card-mine"),
    path("cards/mine/loss", cards.MyCardLoss.as_view(), name="card-mine-loss"),
    path("cards/<int:card_id>", cards.OneCard.as_view(), name="card"),
    path("categories", offers.CategoryList.as_view(), name="category-list"),
    path("offers", offers.OfferList.as_view(), name="offer-list"),
    path("offers/<int:offer_id>", offers.OneOffer.as_view(), name="offer"),
    path("merchants", offers.MerchantList.as_view(), name="merchant-list"),
    path("redemptions", tills.UseList.as_view(), name="use-list"),
    path("redemptions/look-up", tills.CodeLookUp.as_view(), name="code-look-up"),
    path("redemptions/<int:use_id>", tills.OneUse.as_view(), name="use"),
    path("redemptions/<int:use_id>/undo", tills.UseUndo.as_view(), name="use-undo"),
]
